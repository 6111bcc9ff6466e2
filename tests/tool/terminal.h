// A program on a terminal of its own, as a person has it: keys go in, what the screen would show comes out. It waits for text, not for
// time.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace linnet::tests {

class Terminal {
 public:
  /// `command` as a shell reads it, in `folder`.
  Terminal(const std::string& folder, const std::string& command) : master_(posix_openpt(O_RDWR | O_NOCTTY)) {
    REQUIRE(master_ >= 0);
    REQUIRE(grantpt(master_) == 0);
    REQUIRE(unlockpt(master_) == 0);
    const std::string name = ptsname(master_), line = "cd '" + folder + "' && exec " + command;
    child_ = fork();
    REQUIRE(child_ >= 0);
    if (child_ > 0) return;
    // A session of its own, so that Ctrl-C reaches this program alone.
    setsid();
    const int own = open(name.c_str(), O_RDWR);
    if (own < 0 || ioctl(own, TIOCSCTTY, 0) != 0) _exit(126);
    for (int stream = 0; stream < 3; ++stream) dup2(own, stream);
    close(own);
    close(master_);
    setenv("TERM", "vt100", 1);
    execl("/bin/sh", "sh", "-c", line.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  ~Terminal() {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
    close(master_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void type(const std::string& keys) const { REQUIRE(write(master_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size())); }

  /// Reads on until `text` was shown behind what was waited for before, and returns what came until then, `text` included.
  std::string wait_for(const std::string& text) {
    size_t found;
    while ((found = shown_.find(text, seen_)) == std::string::npos)
      if (!read_more()) FAIL("'" << text << "' never came; it showed: " << shown_.substr(seen_));
    const size_t begin = seen_;
    seen_ = found + text.size();
    return shown_.substr(begin, seen_ - begin);
  }
  /// What was not waited for.
  void skip() { seen_ = shown_.size(); }

  /// The program's exit status, when it has ended by itself; all that it still shows is read.
  int wait_for_end() {
    while (read_more()) {
    }
    int status = 0;
    REQUIRE(waitpid(child_, &status, 0) == child_);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  // False where nothing comes any more: it has ended, or does not answer for minutes.
  bool read_more() {
    pollfd ready{master_, POLLIN, 0};
    if (poll(&ready, 1, 180000) <= 0) return false;
    char piece[1024];
    const ssize_t got = read(master_, piece, sizeof piece);
    if (got <= 0) return false;
    shown_.append(piece, static_cast<size_t>(got));
    return true;
  }

  int master_;
  pid_t child_ = -1;
  std::string shown_;
  size_t seen_ = 0;
};

}  // namespace linnet::tests
