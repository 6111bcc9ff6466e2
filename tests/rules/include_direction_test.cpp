// Dependencies between rooms point one way: tasks -> generate, text -> runtime -> plan -> ops -> kernels, with format under plan and ops
// and core under everything. The kernels of a processor family see the kernel interface alone; the converter sees format, text and core.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "rules/sources.h"

using namespace linnet::rules;

namespace {

using Rooms = std::set<std::string>;

const std::map<std::string, Rooms> kAllowed = {
    {"core", {"core"}},
    {"format", {"core", "format"}},
    {"kernels", {"core", "kernels"}},
    {"ops", {"core", "format", "kernels", "ops"}},
    {"plan", {"core", "format", "kernels", "ops", "plan"}},
    {"runtime", {"core", "format", "kernels", "ops", "plan", "runtime"}},
    {"text", {"core", "format", "text"}},
    {"generate", {"core", "format", "kernels", "ops", "plan", "runtime", "text", "generate"}},
    {"tasks", {"core", "format", "kernels", "ops", "plan", "runtime", "text", "generate", "tasks"}},
    {"convert", {"core", "format", "text", "convert"}},
    {"kernels_x86", {"core", "kernels"}},
    {"kernels_arm", {"core", "kernels"}},
};

// The room that a public header belongs to. Model is declared over format, but opening one takes ops, which only runtime may see: who calls
// it from below runtime is listed in kOpeners.
const std::map<std::string, std::string> kPublic = {
    {"api.h", "core"},
    {"status.h", "core"},
    {"model.h", "format"},
    {"plan.h", "plan"},
    {"report.h", "plan"},
    {"session.h", "runtime"},
    {"pictures.h", "tasks"},
    {"tokenizer.h", "text"},
    {"chat.h", "text"},
    {"sampling.h", "generate"},
    {"beam_search.h", "generate"},
    {"generate.h", "generate"},
    {"tasks.h", "tasks"},
    {"conversation.h", "tasks"},
    {"prompt_cache.h", "generate"},
    {"constraint.h", "generate"},
    {"adapter.h", "format"},
};

// The converter looks at its own files, and at those it is asked about, as an app does.
const Rooms kOpeners = {"lib/convert/reopen.cpp", "lib/convert/text/tokenize_jsonl.cpp"};

// Quantized layouts are defined once, for those who write, check and read them; the file of constants depends on nothing.
const std::string kSharedLayout = "kernels/layout.h";

std::string first_folder(const std::string& path) { return path.substr(0, path.find('/')); }

// lib/<room>/..., or kernels_x86/...
std::string room_of(const std::string& path) {
  if (path.rfind("lib/include/linnet/", 0) == 0) return kPublic.at(path.substr(19));
  return first_folder(path.rfind("lib/", 0) == 0 ? path.substr(4) : path);
}

// The room of an included header; "" for the system's, a library's, and those beside the file.
std::string included_room(const std::string& name) {
  const std::string folder = first_folder(name);
  if (name.find('/') == std::string::npos || folder == "..") return "";
  if (folder == "linnet") return kPublic.count(name.substr(7)) ? kPublic.at(name.substr(7)) : "an unknown public header";
  return kAllowed.count(folder) ? folder : "";
}

std::vector<std::string> violations(const Source& source) {
  std::vector<std::string> all;
  const Rooms& allowed = kAllowed.at(room_of(source.path));
  for (const std::string& name : includes(source)) {
    const std::string room = included_room(name);
    if (room.empty() || name == kSharedLayout || allowed.count(room)) continue;
    all.push_back(source.path + " includes " + name);
  }
  return all;
}

}  // namespace

TEST_CASE("a room includes only rooms below it") {
  size_t files = 0;
  for (const char* folder : {"lib", "kernels_x86", "kernels_arm"})
    for (const Source& source : sources_in(folder)) {
      ++files;
      for (const std::string& violation : violations(source)) FAIL_CHECK(violation);
    }
  CHECK(files > 100);
}

TEST_CASE("of the rooms that do not see the runtime, only the converter's last step and its tokenizer's test open models") {
  Rooms openers;
  for (const char* room : {"lib/core", "lib/format", "lib/kernels", "lib/ops", "lib/plan", "lib/text", "lib/convert"})
    for (const Source& source : sources_in(room))
      if (code(source).find("Model::open(") != std::string::npos) openers.insert(source.path);
  CHECK(openers == kOpeners);
}

TEST_CASE("an arrow that points upwards would be seen") {
  CHECK(violations({"lib/ops/linear.cpp", "#include \"runtime/session_impl.h\"\n"}).size() == 1);
  CHECK(violations({"lib/kernels/kernels.cpp", "#include \"format/tensor.h\"\n"}).size() == 1);
  CHECK(violations({"lib/text/encode.cpp", "#include \"linnet/session.h\"\n"}).size() == 1);
  CHECK(violations({"kernels_x86/avx2/linear.h", "# include <plan/plan_impl.h>\n"}).size() == 1);
  CHECK(violations({"lib/convert/graph.cpp", "#include \"kernels/kernels.h\"\n#include \"kernels/layout.h\"\n"}).size() == 1);
  CHECK(violations({"lib/tasks/embedder.cpp", "#include \"linnet/session.h\"\n#include \"core/try.h\"\n#include <span>\n"}).empty());
}

TEST_CASE("the kernels of a processor family include the kernel interface, not the files behind it") {
  for (const char* folder : {"kernels_x86", "kernels_arm"})
    for (const Source& source : sources_in(folder))
      for (const std::string& name : includes(source))
        if (name.rfind("kernels/", 0) == 0) CHECK_MESSAGE(name.find(".h") == name.size() - 2, source.path << " includes " << name);
}

TEST_CASE("public headers include the standard library and each other, nothing else") {
  for (const Source& source : sources_in("lib/include"))
    for (const std::string& name : includes(source)) {
      const bool own = name.rfind("linnet/", 0) == 0 && kPublic.count(name.substr(7));
      const bool standard = name.find_first_of("./") == std::string::npos;
      CHECK_MESSAGE((own || standard), source.path << " includes " << name);
    }
}
