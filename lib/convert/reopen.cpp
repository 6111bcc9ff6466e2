#include "convert/reopen.h"

#include <fmt/format.h>

#include <exception>

#include "convert/error.h"
#include "core/platform.h"
#include "core/try.h"
#include "linnet/model.h"

namespace linnet::convert {

namespace {

// What is thrown waits here while the runtime, which knows no exceptions, returns.
struct Ticks {
  const std::function<void()>& tick;
  std::exception_ptr thrown = nullptr;

  static bool go_on(void* user, uint64_t, uint64_t) noexcept {
    auto& ticks = *static_cast<Ticks*>(user);
    try {
      if (ticks.tick) ticks.tick();
    } catch (...) {
      ticks.thrown = std::current_exception();
    }
    return !ticks.thrown;
  }
};

Status open_and_verify(const std::string& path, Ticks* ticks) {
  LINNET_ASSIGN(const Model model, Model::open(path.c_str()));
  return Ticks::go_on(ticks, 0, 0) ? model.verify(Ticks::go_on, ticks) : Status();
}

bool can_be_mapped(const std::string& path) {
  const Result<core::File> file = core::File::open(path.c_str());
  if (!file.ok()) return false;
  const Result<uint64_t> length = file->length();
  return length.ok() && core::Mapping::map(*file, 0, static_cast<size_t>(*length)).ok();
}

}  // namespace

std::string check_opens(const std::string& path, const std::string& output, const std::function<void()>& tick) {
  Ticks ticks{tick};
  const Status status = open_and_verify(path, &ticks);
  if (ticks.thrown) std::rethrow_exception(ticks.thrown);
  if (status.ok()) return "";
  std::string message = status.message();
  if (message.rfind(path, 0) == 0) message.replace(0, path.size(), output);
  // Nothing is wrong with a file that is only in the wrong place.
  if (status.code() == Code::io && !can_be_mapped(path)) return fmt::format("{}; the file was not checked any further", message);
  throw Error(fmt::format("{} (the file made from it would not open)", message));
}

}  // namespace linnet::convert
