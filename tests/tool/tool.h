// Running the built `linnet` as a person would, in a folder of its own with two small models.
#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "runtime/small_models.h"
#include "tasks/word_tokenizer.h"

namespace linnet::tests {

struct Answer {
  int status;
  std::string out, err;
};

inline std::string read_text(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// A folder with decoder.linnet (131 tokens, 512 positions) and encoder.linnet (labels calm, gale, storm), in which every command runs.
/// Both read words w0, w1, ... (word_tokenizer.h).
class Workshop {
 public:
  Workshop() : folder_("tool") {
    folder_.write(decoder_checkpoint(), "decoder/");
    folder_.write("decoder/tokenizer.json", word_tokenizer(131));
    convert::FakeCheckpoint encoder = encoder_checkpoint();
    encoder.config()["id2label"] = {{"0", "calm"}, {"1", "gale"}, {"2", "storm"}};
    folder_.write(encoder, "encoder/");
    folder_.write("encoder/tokenizer.json", word_tokenizer(97));
    std::filesystem::create_directories(path("out"));
    for (const char* name : {"decoder", "encoder"}) {
      const Answer answer = linnet("convert " + std::string(name) + " -o " + name + ".linnet");
      REQUIRE_MESSAGE(answer.status == 0, answer.err);
    }
  }
  std::string path(const std::string& name) const { return folder_.path(name); }

  /// The arguments as a shell reads them; `input` is what standard input holds.
  Answer linnet(const std::string& arguments, const std::string& input = "") const { return run(LINNET_TOOL, arguments, input); }
  Answer run(const std::string& program, const std::string& arguments, const std::string& input = "") const {
    std::ofstream(path("stdin.txt"), std::ios::binary) << input;
    // The redirections come first, so that the arguments may redirect output themselves.
    const std::string command =
        "cd '" + path("") + "' && " + program + " < stdin.txt > '" + path("stdout.txt") + "' 2> '" + path("stderr.txt") + "' " + arguments;
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_text(path("stdout.txt")), read_text(path("stderr.txt"))};
  }
  void write(const std::string& name, const std::string& bytes) const { std::ofstream(path(name), std::ios::binary) << bytes; }

  /// Everything in the folder, by its path from there; without what linnet() itself leaves.
  std::set<std::string> names() const {
    std::set<std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path("")))
      all.insert(std::filesystem::relative(entry.path(), path("")).string());
    for (const char* own : {"stdin.txt", "stdout.txt", "stderr.txt"}) all.erase(own);
    return all;
  }

 protected:
  convert::CheckpointFolder folder_;
};

/// Exit status and one sentence on one line that names `culprit`, nothing on standard output.
inline void check_refusal(const Answer& answer, int status, const std::string& culprit) {
  INFO("it said: " << answer.err);
  CHECK(answer.status == status);
  CHECK(answer.out == "");
  CHECK(answer.err.rfind("linnet: ", 0) == 0);
  CHECK(std::count(answer.err.begin(), answer.err.end(), '\n') == 1);
  CHECK(answer.err.size() < 400);
  CHECK_MESSAGE(answer.err.find(culprit) != std::string::npos, "expected: " << culprit);
}

}  // namespace linnet::tests
