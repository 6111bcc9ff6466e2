#include "convert/readers/file.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>

namespace linnet::convert {
namespace {

constexpr uint64_t kMaxText = 256u << 20;
constexpr int kMaxNesting = 64;  // copying and printing JSON recurse

void check(const Status& status, const std::string& path) {
  if (status.ok()) return;
  std::string message = status.message();
  throw Error(message.find(path) == 0 ? message : path + ": " + message);
}

}  // namespace

InputFile::InputFile(const std::string& path) : path_(path) {
  auto opened = core::File::open(path.c_str());
  check(opened.status(), path);
  file_ = std::move(*opened);
  auto length = file_.length();
  check(length.status(), path);
  size_ = *length;
}

std::vector<uint8_t> InputFile::read(uint64_t offset, uint64_t bytes) const {
  if (offset > size_ || bytes > size_ - offset) throw Error(path_ + ": is truncated");
  std::vector<uint8_t> out(bytes);
  check(file_.read(offset, out.data(), out.size()), path_);
  return out;
}

std::string read_text(const std::string& path) {
  InputFile file(path);
  if (file.size() > kMaxText) throw Error(path + ": " + std::to_string(file.size()) + " bytes are too many for a text file");
  std::vector<uint8_t> bytes = file.read(0, file.size());
  return {bytes.begin(), bytes.end()};
}

bool file_exists(const std::string& path) {
  struct stat entry;
  return stat(path.c_str(), &entry) == 0 && S_ISREG(entry.st_mode);
}

bool stays_below(const std::string& relative) {
  if (relative.empty() || relative[0] == '/') return false;
  for (size_t begin = 0; begin < relative.size();) {
    const size_t end = std::min(relative.find('/', begin), relative.size());
    if (relative.compare(begin, end - begin, "..") == 0) return false;
    begin = end + 1;
  }
  return true;
}

void check_nesting(const std::string& text, const std::string& what) {
  int depth = 0;
  bool in_text = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      in_text = c != '"';
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxNesting) throw Error(what + ": is nested deeper than " + std::to_string(kMaxNesting) + " levels");
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

Json parse_json(const std::string& text, const std::string& what) {
  check_nesting(text, what);
  std::vector<std::set<std::string>> keys;
  std::string duplicate;
  auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) duplicate = parsed.get<std::string>();
    return true;
  };
  try {
    Json json = Json::parse(text, watch);
    if (!duplicate.empty()) throw Error(what + ": the key '" + duplicate + "' stands there twice");
    return json;
  } catch (const Json::exception& error) {
    throw Error(what + ": is not JSON: " + error.what());
  }
}

}  // namespace linnet::convert
