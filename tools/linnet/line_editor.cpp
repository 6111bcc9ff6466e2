#include "line_editor.h"

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

std::optional<std::string> plain_line(const char* prompt, bool terminal) {
  if (terminal) {
    std::fputs(prompt, stdout);
    std::fflush(stdout);
  }
  std::string line;
  errno = 0;
  if (std::getline(std::cin, line)) return line;
  if (errno != EINTR) return std::nullopt;
  std::cin.clear();
  std::clearerr(stdin);
  std::fputs("\n", stdout);
  return "";
}

}  // namespace

std::optional<std::string> read_line(const char* prompt) {
  const bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
#ifdef LINNET_WITH_EDITLINE
  if (terminal) {
    errno = 0;
    char* typed = readline(prompt);
    if (!typed) {
      if (errno != EINTR) return std::nullopt;
      std::fputs("\n", stdout);
      return "";
    }
    std::string line = typed;
    std::free(typed);
    if (!line.empty()) add_history(line.c_str());
    return line;
  }
#endif
  return plain_line(prompt, terminal);
}

}  // namespace linnet::tool
