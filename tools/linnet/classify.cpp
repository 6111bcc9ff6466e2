#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "command.h"
#include "linnet/tasks.h"

namespace linnet::tool {
namespace {

struct Arguments {
  std::string model, file = "-", adapter;
  uint32_t top = 3;
  bool json = false;
  TaskOptions options;
  SessionOptions session;
};

void print_line(const Arguments& arguments, const Classifier& classifier, const std::string& text, std::span<const float> row) {
  std::vector<size_t> order(row.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return row[a] > row[b]; });
  if (arguments.json) {
    nlohmann::ordered_json line = {{"text", text}};
    line["label"] = classifier.label(order[0]);
    for (size_t i : order) line["probabilities"][std::string(classifier.label(i))] = row[i];
    fmt::print("{}\n", line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    return;
  }
  for (size_t i = 0; i < std::min<size_t>(arguments.top, order.size()); ++i)
    fmt::print("{}{} {:.4f}", i ? "  " : "", classifier.label(order[i]), row[order[i]]);
  fmt::print("\t{}\n", text);
}

bool is_pair(const std::string& line) { return line.find('\t') != std::string::npos; }

// `lines` are all pairs, or all single texts.
void classify_run(const Arguments& arguments, Classifier& classifier, std::span<const std::string> lines) {
  std::vector<std::string_view> texts, others;
  for (std::string_view line : lines) {
    const size_t tab = line.find('\t');
    texts.push_back(line.substr(0, tab));
    if (tab != std::string_view::npos) others.push_back(line.substr(tab + 1));
  }
  Matrix rows = take(classifier.classify(texts, others));
  for (size_t i = 0; i < rows.rows; ++i) print_line(arguments, classifier, lines[i], rows.row(i));
}

void run(Arguments& arguments) {
  Model model = take(Model::open(arguments.model.c_str()));
  const LoadedAdapter adapter(model, arguments.adapter);
  arguments.options.adapter = adapter.get();
  arguments.options.threads = arguments.session.threads;
  arguments.options.batch_tokens = arguments.session.batch_tokens;
  arguments.options.isa = arguments.session.isa;
  Classifier classifier = take(Classifier::create(model, arguments.options), arguments.model);
  const std::vector<std::string> lines = read_lines(arguments.file);
  for (size_t begin = 0, end = 0; begin < lines.size(); begin = end) {
    while (end < lines.size() && is_pair(lines[end]) == is_pair(lines[begin])) ++end;
    classify_run(arguments, classifier, {lines.data() + begin, end - begin});
  }
}

}  // namespace

void add_classify(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("classify", "labels with probabilities for each line of text");
  command->add_option("MODEL", arguments->model, ".linnet file")->required();
  command->add_option("FILE", arguments->file, "text file, a line a text, a tab between the texts of a pair; - or nothing: standard input");
  command->add_option("--top", arguments->top, "labels to print (default 3)");
  command->add_option("--adapter", arguments->adapter, "LoRA beside the model: a PEFT folder, or what convert made of one");
  command->add_option("--max-tokens", arguments->options.max_tokens, "truncate texts to this many tokens");
  command->add_flag("--json", arguments->json, "one object a line, with all labels");
  arguments->session.add_to(*command, false);
  command->callback([arguments] { run(*arguments); });
}

}  // namespace linnet::tool
