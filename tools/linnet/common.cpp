#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <sstream>

#include "command.h"

namespace linnet::tool {

CLI::Validator at_least_one() {
  return CLI::Validator([](const std::string& text) { return text.find_first_not_of('0') == std::string::npos ? "must be at least 1" : ""; }, "");
}

void SessionOptions::add_to(CLI::App& app, bool with_context) {
  if (with_context) app.add_option("--context", context, "positions that one sequence may hold")->check(at_least_one());
  app.add_option("--batch-tokens", batch_tokens, "tokens that run together; longer prompts are cut into chunks")->check(at_least_one());
  app.add_option("--threads", threads, "worker threads (default: the number of big cores)")->check(CLI::Range(1u, 64u));
  app.add_option("--isa", isa, "kernel level: portable, avx2, avxvnni, avx512vnni, neon, ... (default: the best)");
  if (with_context)
    app.add_option("--state", state, "encoding of keys and values: f32, f16, int8 (default: as the file says)")
        ->check(CLI::IsMember({"f32", "f16", "int8"}));
}

Limits SessionOptions::limits() const {
  Limits limits;
  limits.context = context;
  limits.batch_tokens = batch_tokens;
  limits.threads = threads;
  limits.isa = isa;
  limits.state = state == "f32"    ? StateEncoding::f32
                 : state == "f16"  ? StateEncoding::f16
                 : state == "int8" ? StateEncoding::int8
                                   : StateEncoding::as_file;
  return limits;
}

std::vector<int32_t> parse_ids(const std::string& text) {
  std::vector<int32_t> ids;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at < end) {
    int32_t id = 0;
    auto [next, error] = std::from_chars(at, end, id);
    if (error != std::errc() || (next < end && *next != ','))
      throw Failure("--ids: '" + text.substr(static_cast<size_t>(at - text.data()), 20) + "' is not a token id; write 1,2,3");
    ids.push_back(id);
    at = next + 1;
  }
  return ids;
}

std::string read_file(const std::string& path) {
  const bool standard = path == "-";
  const std::string name = standard ? "standard input" : path;
  std::unique_ptr<FILE, int (*)(FILE*)> opened(standard ? nullptr : std::fopen(path.c_str(), "rb"), std::fclose);
  FILE* file = standard ? stdin : opened.get();
  if (!file) throw Failure(name + ": opening failed: " + std::strerror(errno));
  std::string all;
  char piece[65536];
  for (size_t got; (got = std::fread(piece, 1, sizeof piece, file)) > 0;) all.append(piece, got);
  if (std::ferror(file)) throw Failure(name + ": reading failed: " + std::strerror(errno));
  return all;
}

std::vector<std::string> read_lines(const std::string& path) {
  std::istringstream all(read_file(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(all, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

std::string human_bytes(uint64_t bytes) {
  const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double amount = static_cast<double>(bytes);
  int unit = 0;
  while (amount >= 1024 && unit < 4) {
    amount /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit ? "%.1f %s" : "%.0f %s", amount, units[unit]);
  return text;
}

int find_program(const Model& model, std::string_view kind) {
  for (size_t i = 0; i < model.programs(); ++i)
    if (model.program(i).kind == kind) return static_cast<int>(i);
  return -1;
}

int find_writer(const Model& model) {
  const int decode = find_program(model, "decode");
  return decode >= 0 ? decode : find_program(model, "autoregressive");
}

bool reads_source(const Model& model) { return find_program(model, "decode") >= 0 && find_program(model, "encode") >= 0; }

void show_progress(const std::string& what, size_t done, size_t total) {
  if (!isatty(STDERR_FILENO)) return;
  size_t width = total ? done * 30 / total : 30;
  std::string bar = std::string(width, '#') + std::string(30 - width, '.');
  std::fprintf(stderr, "\r\033[K[%s] %s", bar.c_str(), what.substr(0, 60).c_str());
  if (done == total) std::fprintf(stderr, "\r\033[K");
  std::fflush(stderr);
}

}  // namespace linnet::tool
