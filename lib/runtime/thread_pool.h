// One job at a time, shared out by index to whoever comes: workers and the caller take indices from one atomic ticket. The caller works
// too and never waits for a worker that has not begun, so that a busy neighbour or a sleeping worker cannot stall a run. Idle workers
// spin briefly, then sleep. No lock is held and nothing is allocated while running.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/limits.h"
#include "linnet/status.h"

namespace linnet::runtime {

class ThreadPool {
 public:
  ThreadPool() noexcept = default;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool() { stop(); }

  /// Starts `workers` - 1 threads; the caller of run is worker 0. Errors: out_of_memory (a thread could not be made; none is left).
  Status start(uint32_t workers) noexcept;
  void stop() noexcept;

  /// Calls task(argument, index, worker) once for every index in [0, count), and returns when all are done. One caller at a time.
  void run(size_t count, void (*task)(void*, size_t, size_t), void* argument) noexcept;
  static void run_on(void* pool, size_t count, void (*task)(void*, size_t, size_t), void* argument) noexcept {
    static_cast<ThreadPool*>(pool)->run(count, task, argument);
  }

 private:
  struct Worker {
    ThreadPool* pool;
    uint32_t number;
    pthread_t thread;
  };
  static void* enter(void* worker) noexcept;
  void serve(uint32_t number) noexcept;
  uint32_t take_part(uint32_t job, uint32_t number) noexcept;
  void wake() noexcept;

  // High half: number of the job; low half: indices that nobody has taken yet. An index is taken by compare-and-swap, which fails once
  // the job is over, so the fields below are read only while their job cannot end.
  alignas(64) std::atomic<uint64_t> ticket_{0};
  alignas(64) std::atomic<uint32_t> done_{0};
  alignas(64) std::atomic<uint32_t> signal_{0};   // changes with every job; sleepers wait on it
  std::atomic<uint32_t> sleepers_{0};
  std::atomic<bool> stopping_{false};

  alignas(64) void (*task_)(void*, size_t, size_t) = nullptr;
  void* argument_ = nullptr;
  uint32_t count_ = 0;
  uint32_t started_ = 0;
  Worker workers_[core::limits::kThreads] = {};
};

}  // namespace linnet::runtime
