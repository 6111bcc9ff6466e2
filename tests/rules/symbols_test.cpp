// What the runtime may not call, read from its objects: nothing that ends the process, throws, prints, or asks the environment.
#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace {

struct Rule {
  const char* symbol;     // as nm shows it; a final * stands for anything
  const char* except_in;  // the one object that may
};
const Rule kForbidden[] = {
    {"abort", nullptr},
    {"exit", nullptr},
    {"_exit", nullptr},
    {"quick_exit", nullptr},
    {"__assert_fail", nullptr},
    {"raise", nullptr},
    {"__cxa_throw", nullptr},
    {"__cxa_rethrow", nullptr},
    {"__cxa_allocate_exception", nullptr},
    {"__cxa_pure_virtual", nullptr},
    {"__gxx_personality_v0", nullptr},
    {"_ZSt9terminatev", nullptr},
    // std::atomic::wait checks the system's answer to a futex call on a word of our own, which cannot fail.
    {"_ZSt20__throw_system_errori", "thread_pool.cpp.o"},
    {"_ZSt*__throw_*", nullptr},
    {"_Znwm", nullptr},  // operator new
    {"_Znam", nullptr},
    {"malloc", nullptr},  // core::allocate is the way
    {"calloc", nullptr},
    {"realloc", nullptr},
    {"aligned_alloc", "memory.cpp.o"},
    {"posix_memalign", "memory.cpp.o"},
    {"printf", nullptr},
    {"vprintf", nullptr},
    {"fprintf", nullptr},
    {"__printf_chk", nullptr},
    {"__fprintf_chk", nullptr},
    {"puts", nullptr},
    {"putchar", nullptr},
    {"fputs", nullptr},
    {"fputc", nullptr},
    {"fwrite", nullptr},
    {"perror", nullptr},
    {"stdout", nullptr},
    {"stderr", nullptr},
    {"_ZSt4cout", nullptr},
    {"_ZSt4cerr", nullptr},
    {"_ZNSt8ios_base*", nullptr},
    {"_ZNSt7__cxx1111basic_regex*", nullptr},
    {"_ZNSt7__cxx1112basic_string*", nullptr},
    {"getenv", "platform.cpp.o"},
    {"secure_getenv", nullptr},
    {"setlocale", nullptr},
    {"signal", nullptr},
    {"sigaction", nullptr},
    {"socket", nullptr},
    {"rand", nullptr},
    {"dlopen", nullptr},
};

bool matches(const std::string& text, const char* pattern) {
  if (*pattern == '\0') return text.empty();
  if (*pattern == '*') return matches(text, pattern + 1) || (!text.empty() && matches(text.substr(1), pattern));
  return !text.empty() && text[0] == *pattern && matches(text.substr(1), pattern + 1);
}

// Objects of lib/text, whose string_view::substr checks a begin that is computed within the text each time.
bool cuts_text(const std::string& object) {
  const std::filesystem::path lib = LINNET_SOURCE_DIR "/lib", source = object.substr(0, object.size() - 2);
  return std::filesystem::exists(lib / "text" / source) && !std::filesystem::exists(lib / "runtime" / source);
}

// "" when an object may refer to a symbol, else the complaint.
std::string complaint(const std::string& object, const std::string& symbol) {
  if (symbol == "_ZSt24__throw_out_of_range_fmtPKcz" && cuts_text(object)) return "";
  for (const Rule& rule : kForbidden)
    if (matches(symbol, rule.symbol)) return rule.except_in && object == rule.except_in ? "" : object + " refers to " + symbol;
  return "";
}

struct Reference {
  std::string object, symbol;
};

// Undefined symbols of every object in the library.
std::vector<Reference> references() {
  const std::string command = std::string(LINNET_NM) + " -A -u '" + LINNET_ARCHIVE + "'";
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  REQUIRE(pipe);
  std::string text;
  char piece[4096];
  for (size_t got; (got = fread(piece, 1, sizeof piece, pipe.get())) > 0;) text.append(piece, got);
  std::vector<Reference> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {  // archive:object:   U symbol
    const size_t symbol = line.rfind(' '), end = line.find(':', line.rfind(".a:") + 3);
    all.push_back({line.substr(line.rfind(".a:") + 3, end - line.rfind(".a:") - 3), line.substr(symbol + 1)});
  }
  return all;
}

}  // namespace

TEST_CASE("the runtime neither ends the process nor throws nor prints") {
  const std::vector<Reference> all = references();
  CHECK(all.size() > 300);
  for (const Reference& reference : all) {
    const std::string said = complaint(reference.object, reference.symbol);
    if (!said.empty()) FAIL_CHECK(said);
  }
}

TEST_CASE("a forbidden symbol would be seen, and the exceptions hold in one object only") {
  CHECK(complaint("model.cpp.o", "abort") == "model.cpp.o refers to abort");
  CHECK(complaint("model.cpp.o", "_ZSt24__throw_out_of_range_fmtPKcz") != "");
  CHECK(complaint("platform.cpp.o", "getenv") == "");
  CHECK(complaint("kernels.cpp.o", "getenv") != "");
  CHECK(complaint("status.cpp.o", "vsnprintf") == "");
}
