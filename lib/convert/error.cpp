#include "convert/error.h"

#include <new>

namespace linnet::convert {

namespace {

bool is_about(const std::string& message, const std::string& source) {
  if (source.empty() || message.compare(0, source.size(), source) != 0) return false;
  const std::string rest = message.substr(source.size());
  return source.back() == '/' || rest.rfind("/", 0) == 0 || rest.rfind(": ", 0) == 0;
}

}  // namespace

void throw_about(const std::string& source) {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    throw Error(source + ": there is not enough memory for it");
  } catch (const std::exception& error) {
    const std::string message = error.what();
    throw Error(is_about(message, source) ? message : source + ": " + message);
  }
}

}  // namespace linnet::convert
