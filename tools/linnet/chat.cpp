#include <fmt/core.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>

#include "command.h"
#include "line_editor.h"
#include "linnet/conversation.h"
#include "variables.h"
#include "writing.h"

namespace linnet::tool {
namespace {

struct Arguments {
  std::string model, system, template_name, tools, load;
  std::vector<std::string> variables;
  uint32_t max_tokens = 512;
  DrawOptions draw;
  bool forget = false, lookup = false;
  SessionOptions session;
};

Conversation open(const Arguments& arguments, const Model& model) {
  const Limits limits = arguments.session.limits();
  const std::string tools = arguments.tools.empty() ? "" : read_file(arguments.tools);
  const std::string variables = variables_json(arguments.variables);
  ConversationOptions options;
  options.context = limits.context;
  options.batch_tokens = limits.batch_tokens;
  options.threads = limits.threads;
  options.state = limits.state;
  options.isa = limits.isa;
  options.template_name = arguments.template_name;
  options.tools_json = tools;
  options.variables_json = variables;
  options.forget_oldest = arguments.forget;
  options.generate.max_tokens = arguments.max_tokens;
  options.generate.sampling = arguments.draw.sampling(model.generation());
  options.generate.speculation.lookup = arguments.lookup;
  options.generate.on_token = print_piece;
  options.generate.on_prompt = print_progress;
  return take(Conversation::create(model, options), arguments.model);
}

// Ctrl-C stops the answer; at the prompt it gives up the line.
class StopSignal {
 public:
  explicit StopSignal(Conversation& conversation) {
    conversation_ = &conversation;
    struct sigaction action = {};
    action.sa_flags = SA_RESTART;  // what is being printed is printed; waiting for input ends all the same
    action.sa_handler = [](int) {
      happened = 1;
      conversation_->cancel();
    };
    sigaction(SIGINT, &action, &before_);
  }
  ~StopSignal() { sigaction(SIGINT, &before_, nullptr); }

  static inline volatile std::sig_atomic_t happened = 0;

 private:
  static inline Conversation* conversation_ = nullptr;
  struct sigaction before_ = {};
};

class Talk {
 public:
  Talk(Conversation& conversation, const std::string& system) : conversation_(conversation), system_(system) { begin(); }

  void run() {
    while (const std::optional<std::string> line = read_line("> ", StopSignal::happened)) {
      if (line->find_first_not_of(" \t\r") == std::string::npos) continue;
      if ((*line)[0] == '/' ? !command(*line) : !say(*line)) return;
    }
  }

 private:
  void begin() {
    conversation_.clear();
    if (!system_.empty()) check(conversation_.add("system", system_));
  }

  bool say(const std::string& text) {
    check(conversation_.add("user", text));
    if (!answer()) conversation_.remove_last();
    return true;
  }

  // False where there is none; then the question stays without one.
  bool answer() {
    const Result<Reply> reply = conversation_.reply();
    if (!reply.ok()) return complain(reply.status()), false;
    fmt::print("\n");
    if (reply->forgotten) fmt::print(stderr, "linnet: {} of the oldest messages are forgotten\n", reply->forgotten);
    if (reply->report.end == GenerateReport::End::max_tokens) fmt::print(stderr, "linnet: the answer was cut at --max-tokens\n");
    ++conversation_.generate_options().sampling.seed;  // the next is another draw
    std::fflush(stdout);
    return true;
  }

  static void complain(const Status& status) {
    std::fflush(stdout);
    fmt::print(stderr, "linnet: {}\n", status.message());
  }

  bool last_is(const char* role) const {
    return conversation_.messages() > 0 && conversation_.message(conversation_.messages() - 1).role == role;
  }

  // Everything behind the last question; it can be put back.
  std::vector<std::pair<std::string, std::string>> take_back_answer() {
    std::vector<std::pair<std::string, std::string>> taken;
    for (; conversation_.messages() > 0 && !last_is("user") && !last_is("system"); conversation_.remove_last()) {
      const ChatMessage message = conversation_.message(conversation_.messages() - 1);
      taken.emplace(taken.begin(), message.role, message.content);
    }
    return taken;
  }

  void answer_again() {
    const auto taken = take_back_answer();
    if (!last_is("user")) complain(Status::error(Code::invalid_argument, "there is no answer to give anew"));
    if (last_is("user") && answer()) return;
    for (const auto& [role, content] : taken) check(conversation_.add(role, content));
  }

  // False where the conversation ends.
  bool command(const std::string& line) {
    const size_t space = line.find(' ');
    const std::string name = line.substr(0, space);
    const std::string rest = space == std::string::npos ? "" : line.substr(line.find_first_not_of(' ', space));
    if (name == "/quit" || name == "/exit") return false;
    if (name == "/save" || name == "/load") {
      if (rest.empty()) return complain(Status::error(Code::invalid_argument, "write %s FILE", name.c_str())), true;
      const Status status = name == "/save" ? conversation_.save(rest.c_str()) : conversation_.load(rest.c_str());
      if (!status.ok()) complain(status);
    } else if (name == "/regen") {
      answer_again();
    } else if (name == "/undo") {
      take_back_answer();
      if (last_is("user")) conversation_.remove_last();
    } else if (name == "/clear") {
      begin();
    } else if (name == "/system") {
      system_ = rest;
      begin();
    } else if (name == "/history") {
      for (size_t i = 0; i < conversation_.messages(); ++i)
        fmt::print("[{}] {}\n", conversation_.message(i).role, conversation_.message(i).content);
    } else {
      fmt::print(
          "/regen          another answer to the last question\n/undo           take the last question and its answer back\n"
          "/save FILE      keep the conversation\n/load FILE      go on with a kept one\n/history        everything that was said\n"
          "/system TEXT    begin anew with this system message\n/clear          begin anew\n/quit           end (also Ctrl-D)\n"
          "Ctrl-C stops an answer.\n");
    }
    std::fflush(stdout);
    return true;
  }

  Conversation& conversation_;
  std::string system_;
};

void run(const Arguments& arguments) {
  const Model model = take(Model::open(arguments.model.c_str()));
  Conversation conversation = open(arguments, model);
  const StopSignal stop(conversation);
  Talk talk(conversation, arguments.system);
  if (!arguments.load.empty()) check(conversation.load(arguments.load.c_str()));
  talk.run();
}

}  // namespace

void add_chat(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("chat", "talk with a model; /help inside tells the commands");
  command->add_option("MODEL", arguments->model, ".linnet file with a chat template")->required();
  command->add_option("--system", arguments->system, "the system message");
  command->add_option("--load", arguments->load, "go on with a conversation that /save kept");
  command->add_option("--template", arguments->template_name, "one of the model's named templates (default: the usual one)");
  command->add_option("--tools", arguments->tools, "JSON file with functions that the model may call");
  command->add_option("--set", arguments->variables, "NAME=VALUE for the template, such as enable_thinking=false; repeatable")
      ->allow_extra_args(false);
  command->add_option("--max-tokens", arguments->max_tokens, "of one answer (default 512)")->check(at_least_one());
  arguments->draw.add_to(*command);
  arguments->draw.add_repetition_penalty(*command);
  command->add_option("--seed", arguments->draw.seed, "of the first answer's draws; each answer counts on (default 0)");
  command->add_flag("--forget", arguments->forget, "when the context is full, leave the oldest messages out instead of stopping");
  command->add_flag("--lookup", arguments->lookup, "draft from the conversation itself: same answers, faster where they repeat it");
  arguments->session.add_to(*command);
  command->callback([arguments] { run(*arguments); });
}

}  // namespace linnet::tool
