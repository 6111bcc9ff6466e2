#include "runtime/thread_pool.h"

#include <sched.h>
#include <signal.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace linnet::runtime {
namespace {

constexpr size_t kStackBytes = 1 << 20;
constexpr int kSpins = 4000;  // some ten microseconds: longer than the gap between two operations
constexpr int kYields = 16;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ __volatile__("yield");
#endif
}

uint32_t job_of(uint64_t ticket) { return static_cast<uint32_t>(ticket >> 32); }
uint32_t left_in(uint64_t ticket) { return static_cast<uint32_t>(ticket); }

}  // namespace

Status ThreadPool::start(uint32_t workers) noexcept {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  // The application's signals are for its own threads: a worker that took one would run a handler it knows nothing of. Those that a
  // thread causes itself (faults), and those of profilers, must reach the application's handlers as always.
  sigset_t blocked, before;
  sigfillset(&blocked);
  for (int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF}) sigdelset(&blocked, own);
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  int failure = 0;
  for (started_ = 0; started_ + 1 < workers; ++started_) {
    workers_[started_].pool = this;
    workers_[started_].number = started_ + 1;
    failure = pthread_create(&workers_[started_].thread, &attributes, enter, &workers_[started_]);
    if (failure) break;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (!failure) return {};
  uint32_t made = started_;
  stop();
  return Status::error(Code::out_of_memory, "worker thread %u of %u could not be made: %s", made + 1, workers - 1, strerror(failure));
}

void ThreadPool::stop() noexcept {
  stopping_.store(true);
  wake();
  for (uint32_t i = 0; i < started_; ++i) pthread_join(workers_[i].thread, nullptr);
  started_ = 0;
  stopping_.store(false);
}

void ThreadPool::wake() noexcept {
  signal_.fetch_add(1);
  if (sleepers_.load() != 0) signal_.notify_all();
}

void* ThreadPool::enter(void* worker) noexcept {
  Worker* self = static_cast<Worker*>(worker);
  self->pool->serve(self->number);
  return nullptr;
}

void ThreadPool::serve(uint32_t number) noexcept {
  uint32_t finished = 0;  // the last job seen through
  while (!stopping_.load()) {
    uint32_t signal = signal_.load();
    uint64_t ticket = ticket_.load(std::memory_order_acquire);
    if (job_of(ticket) != finished && left_in(ticket) != 0) {
      finished = take_part(job_of(ticket), number);
      continue;
    }
    int spins = 0;
    while (spins < kSpins && signal_.load(std::memory_order_relaxed) == signal) {
      pause();
      ++spins;
    }
    if (spins < kSpins) continue;
    sleepers_.fetch_add(1);
    if (!stopping_.load()) signal_.wait(signal);
    sleepers_.fetch_sub(1);
  }
}

// Takes indices of `job` until none is left; returns the job's number.
uint32_t ThreadPool::take_part(uint32_t job, uint32_t number) noexcept {
  uint64_t ticket = ticket_.load(std::memory_order_acquire);
  while (job_of(ticket) == job && left_in(ticket) != 0) {
    if (!ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
    task_(argument_, count_ - left_in(ticket), number);
    done_.fetch_add(1, std::memory_order_release);
    ticket = ticket_.load(std::memory_order_acquire);
  }
  return job;
}

void ThreadPool::run(size_t count, void (*task)(void*, size_t, size_t), void* argument) noexcept {
  if (started_ == 0 || count <= 1 || count > UINT32_MAX) {
    for (size_t i = 0; i < count; ++i) task(argument, i, 0);
    return;
  }
  task_ = task;
  argument_ = argument;
  count_ = static_cast<uint32_t>(count);
  done_.store(0, std::memory_order_relaxed);
  // Job numbers skip 0, which workers start from.
  uint32_t job = job_of(ticket_.load(std::memory_order_relaxed)) + 1;
  if (job == 0) job = 1;
  ticket_.store(uint64_t{job} << 32 | count_, std::memory_order_release);
  wake();
  take_part(job, 0);
  for (int spins = 0; done_.load(std::memory_order_acquire) != count_; ++spins) {
    // Only indices that a worker has begun are open: give its core a chance if it shares ours.
    if (spins > kSpins * kYields) sched_yield();
    pause();
  }
}

}  // namespace linnet::runtime
