#include "runtime/thread_pool.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

using linnet::runtime::ThreadPool;

namespace {

struct Counts {
  explicit Counts(size_t count) : seen(count) {}
  std::vector<std::atomic<uint32_t>> seen;
  std::atomic<size_t> highest_worker{0};
  static void task(void* argument, size_t index, size_t worker) {
    auto& self = *static_cast<Counts*>(argument);
    self.seen[index].fetch_add(1, std::memory_order_relaxed);
    for (size_t highest = self.highest_worker; worker > highest && !self.highest_worker.compare_exchange_weak(highest, worker);) {
    }
  }
  bool each_once() const {
    return std::all_of(seen.begin(), seen.end(), [](const std::atomic<uint32_t>& n) { return n == 1; });
  }
};

}  // namespace

TEST_CASE("every index is run exactly once, by a worker that exists") {
  for (uint32_t workers : {1u, 2u, 3u, 8u}) {
    auto pool = std::make_unique<ThreadPool>();
    REQUIRE(pool->start(workers).ok());
    for (size_t count : {0u, 1u, 2u, 7u, 64u, 1000u}) {
      Counts counts(count);
      pool->run(count, Counts::task, &counts);
      CHECK(counts.each_once());
      CHECK(counts.highest_worker < workers);
    }
  }
}

TEST_CASE("twenty thousand small jobs in a row, each seen whole by the next") {
  auto pool = std::make_unique<ThreadPool>();
  REQUIRE(pool->start(4).ok());
  struct Job {
    std::vector<uint64_t> values;
    uint64_t number = 0;
  } job{std::vector<uint64_t>(17, 0)};
  for (job.number = 1; job.number <= 20000; ++job.number)
    // Not atomic on purpose: the end of a job has to make its writes visible, and nobody may be late.
    pool->run(
        job.number % 17 + 1, [](void* argument, size_t index, size_t) { ++static_cast<Job*>(argument)->values[index]; }, &job);
  uint64_t expected = 0;
  for (uint64_t number = 1; number <= 20000; ++number) expected += number % 17 + 1;
  CHECK(std::accumulate(job.values.begin(), job.values.end(), uint64_t{0}) == expected);
}

TEST_CASE("workers that fell asleep wake up again") {
  auto pool = std::make_unique<ThreadPool>();
  REQUIRE(pool->start(3).ok());
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    Counts counts(100);
    pool->run(100, Counts::task, &counts);
    CHECK(counts.each_once());
  }
}

TEST_CASE("pools start and stop, used or not") {
  for (int i = 0; i < 50; ++i) {
    auto pool = std::make_unique<ThreadPool>();
    REQUIRE(pool->start(static_cast<uint32_t>(i % 5 + 1)).ok());
    if (i % 2) {
      Counts counts(3);
      pool->run(3, Counts::task, &counts);
      CHECK(counts.each_once());
    }
    pool->stop();
  }
}

namespace {

// The signals that each thread of this process blocks, as Linux tells: bit n - 1 for signal n.
std::vector<uint64_t> blocked_signals() {
  std::vector<uint64_t> masks;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream status(task.path() / "status");
    for (std::string line; std::getline(status, line);)
      if (line.rfind("SigBlk:", 0) == 0) masks.push_back(std::stoull(line.substr(7), nullptr, 16));
  }
  return masks;
}

bool blocks(uint64_t mask, int signal) { return mask >> (signal - 1) & 1; }

}  // namespace

TEST_CASE("signals of the process go to the application's threads, faults to whoever causes them") {
  const size_t before = blocked_signals().size();
  auto pool = std::make_unique<ThreadPool>();
  REQUIRE(pool->start(4).ok());
  // A thread that begins blocks everything until it has its mask.
  auto begins = [] {
    const std::vector<uint64_t> masks = blocked_signals();
    return std::any_of(masks.begin(), masks.end(), [](uint64_t mask) { return blocks(mask, SIGSEGV); });
  };
  for (int tries = 0; tries < 1000 && begins(); ++tries) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  size_t workers = 0;
  for (uint64_t mask : blocked_signals()) {
    if (!blocks(mask, SIGUSR1)) continue;  // ours
    ++workers;
    for (int signal : {SIGINT, SIGTERM, SIGALRM, SIGCHLD}) CHECK(blocks(mask, signal));
    for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPROF}) CHECK(!blocks(mask, signal));
  }
  CHECK(workers == 3);
  CHECK(blocked_signals().size() == before + 3);
  sigset_t own;
  pthread_sigmask(SIG_SETMASK, nullptr, &own);
  CHECK(!sigismember(&own, SIGINT));
}
