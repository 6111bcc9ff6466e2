// What the subcommands share. Each is one file with one function that adds itself to the command line.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "linnet/session.h"
#include "linnet/tokenizer.h"

namespace linnet::tool {

/// Bad input: one sentence, exit status 1. (A bad command line is CLI11's, exit status 2.)
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void check(const Status& status) {
  if (!status.ok()) throw Failure(status.message());
}
template <class T>
T take(Result<T> result) {
  check(result.status());
  return std::move(*result);
}
/// The same where the message itself does not name the file.
template <class T>
T take(Result<T> result, const std::string& file) {
  if (!result.ok()) throw Failure(file + ": " + result.status().message());
  return std::move(*result);
}

/// The options that every command with a session understands.
struct SessionOptions {
  uint32_t context = 0, batch_tokens = 0, threads = 0;
  std::string isa, state;
  void add_to(CLI::App& app, bool with_context = true);
  Limits limits() const;
};

/// An adapter beside its base: a file that was converted, or a PEFT folder that is converted now.
class LoadedAdapter {
 public:
  /// No adapter where `path` is empty.
  LoadedAdapter(const Model& model, const std::string& path);
  /// Room for it in a session.
  void add_to(Limits* limits) const;
  const Adapter* get() const { return adapter_ ? &*adapter_ : nullptr; }
  /// kNoAdapter where there is none.
  AdapterId attach(Session& session) const;

 private:
  std::vector<uint8_t> bytes_;  // of one that was converted now
  std::optional<Adapter> adapter_;
};

/// A check for counts of which there is at least one.
CLI::Validator at_least_one();
/// "1,2,3" -> numbers; Failure names what is not one.
std::vector<int32_t> parse_ids(const std::string& text);
/// All of a file, or of standard input for "-". Failure names what cannot be read.
std::string read_file(const std::string& path);
/// Its lines without their ends; the last may lack one.
std::vector<std::string> read_lines(const std::string& path);
/// 1536 -> "1.5 KiB"
std::string human_bytes(uint64_t bytes);
/// The index of the program with this kind, or -1.
int find_program(const Model& model, std::string_view kind);
/// The index of the program that writes text, or -1.
int find_writer(const Model& model);
/// Whether it writes from a source, which another program reads.
bool reads_source(const Model& model);
/// A line on standard error that is rewritten in place, when that is a terminal.
void show_progress(const std::string& what, size_t done, size_t total);

void add_convert(CLI::App& app);
void add_inspect(CLI::App& app);
void add_verify(CLI::App& app);
void add_plan(CLI::App& app);
void add_run(CLI::App& app);
void add_generate(CLI::App& app);
void add_chat(CLI::App& app);
void add_translate(CLI::App& app);
void add_embed(CLI::App& app);
void add_classify(CLI::App& app);
void add_tokenize(CLI::App& app);
void add_template(CLI::App& app);
void add_bench(CLI::App& app);

}  // namespace linnet::tool
