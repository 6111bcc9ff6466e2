#include "line_editor.h"

#include <sys/select.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#ifdef LINNET_WITH_EDITLINE
#include <editline/readline.h>
#endif

namespace linnet::tool {
namespace {

// Keeps SIGINT back except while input is waited for: one that came a moment before the wait would not end it otherwise.
class Waiting {
 public:
  explicit Waiting(volatile std::sig_atomic_t& interrupted) : interrupted_(interrupted) {
    sigset_t interrupt;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigprocmask(SIG_BLOCK, &interrupt, &before_);
    open_ = before_;
    sigdelset(&open_, SIGINT);
    interrupted = 0;  // what came before was meant for something else
  }
  ~Waiting() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  // False where SIGINT came first.
  bool for_input() const {
    while (!interrupted_) {
      fd_set input;
      FD_ZERO(&input);
      FD_SET(STDIN_FILENO, &input);
      if (pselect(STDIN_FILENO + 1, &input, nullptr, nullptr, nullptr, &open_) >= 0 || errno != EINTR) return true;
    }
    return false;
  }

 private:
  const volatile std::sig_atomic_t& interrupted_;
  sigset_t before_, open_;
};

std::optional<std::string> plain_line() {
  std::string line;
  return std::getline(std::cin, line) ? std::optional(line) : std::nullopt;
}

// What is typed at a terminal; nothing where SIGINT came first.
#ifdef LINNET_WITH_EDITLINE
struct Typed {
  bool ended = false;
  std::optional<std::string> line;
} g_typed;

void take_line(char* typed) {
  rl_callback_handler_remove();
  g_typed.ended = true;
  if (!typed) return;
  g_typed.line = typed;
  std::free(typed);
}

bool type_line(const char* prompt, const Waiting& waiting, std::optional<std::string>* line) {
  g_typed = {};
  rl_callback_handler_install(prompt, take_line);
  while (!g_typed.ended) {
    if (!waiting.for_input()) return rl_callback_handler_remove(), false;
    rl_callback_read_char();
  }
  *line = g_typed.line;
  if (*line && !(*line)->empty()) add_history((*line)->c_str());
  return true;
}
#else
bool type_line(const char* prompt, const Waiting& waiting, std::optional<std::string>* line) {
  std::fputs(prompt, stdout);
  std::fflush(stdout);
  if (!waiting.for_input()) return false;
  *line = plain_line();  // a terminal has input when a line is whole
  return true;
}
#endif

}  // namespace

std::optional<std::string> read_line(const char* prompt, volatile std::sig_atomic_t& interrupted) {
  if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) return plain_line();
  std::optional<std::string> line;
  if (type_line(prompt, Waiting(interrupted), &line)) return line;
  std::fputs("\n", stdout);
  std::fflush(stdout);
  return "";
}

}  // namespace linnet::tool
