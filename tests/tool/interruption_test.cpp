// Ctrl-C while a model is converted.
#include "linnet/interruption.h"

#include <unistd.h>

#include <csignal>
#include <thread>

#include "tool/tool.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

/// Starts `linnet` in the workshop's folder, its output thrown away; the process itself, so that it gets the signals.
pid_t start(const Workshop& shop, const std::string& arguments) {
  const std::string command = "cd '" + shop.path("") + "' && exec " + LINNET_TOOL + " " + arguments + " > /dev/null 2>&1";
  const pid_t child = fork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  return child;
}

bool is_half_written(const Workshop& shop) {
  for (const auto& entry : std::filesystem::directory_iterator(shop.path("out")))
    if (entry.path().filename().string().rfind("x.linnet.part", 0) == 0) return true;
  return false;
}

}  // namespace

TEST_CASE("a conversion that is interrupted leaves nothing half written behind") {
  Workshop shop;
  convert::FakeCheckpoint large = decoder_checkpoint();
  large.config()["vocab_size"] = 200000;
  const uint64_t hidden = large.tensor("model.embed_tokens.weight").shape[1];
  large.put("model.embed_tokens.weight", {200000, hidden}, std::vector<float>(200000 * hidden, 0.5f));
  convert::CheckpointFolder source("interruption");
  source.write(large);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const pid_t child = start(shop, "convert '" + source.path() + "' -o out/x.linnet --weights f32");
    REQUIRE(child > 0);
    int status = 0;
    pid_t ended = 0;
    // As soon as the file is being written. It may also be whole before the signal arrives.
    while ((ended = waitpid(child, &status, WNOHANG)) == 0 && !is_half_written(shop)) std::this_thread::yield();
    if (ended == 0) {
      kill(child, signal);
      REQUIRE(waitpid(child, &status, 0) == child);
    }
    CHECK_FALSE(is_half_written(shop));
    if (WIFSIGNALED(status)) {
      CHECK(WTERMSIG(status) == signal);
      CHECK(std::filesystem::is_empty(shop.path("out")));
    } else {
      CHECK(WEXITSTATUS(status) == 0);
      CHECK(std::filesystem::exists(shop.path("out/x.linnet")));
      std::filesystem::remove(shop.path("out/x.linnet"));
    }
  }
}

TEST_CASE("a signal that came too late to stop the work ends the process when the work is done") {
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    int pipe_ends[2];
    REQUIRE(pipe(pipe_ends) == 0);
    const pid_t child = fork();
    if (child == 0) {
      std::signal(signal, SIG_DFL);  // not the test program's own
      {
        const tool::Interruption interruption;
        raise(signal);
        const char done = tool::Interruption::happened() ? 'y' : 'n';
        if (write(pipe_ends[1], &done, 1) != 1) _exit(1);
      }
      _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    char done = 0;
    close(pipe_ends[1]);
    CHECK(read(pipe_ends[0], &done, 1) == 1);
    close(pipe_ends[0]);
    CHECK(done == 'y');
    REQUIRE(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == signal);
  }
}
