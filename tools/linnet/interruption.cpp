#include "interruption.h"

#include <csignal>
#include <cstddef>
#include <iterator>

namespace linnet::tool {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
volatile std::sig_atomic_t g_signal = 0;
struct sigaction g_before[std::size(kSignals)];

void mark(int signal) { g_signal = signal; }

}  // namespace

Interruption::Interruption() {
  struct sigaction action = {};
  action.sa_handler = mark;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < std::size(kSignals); ++i) {
    sigaction(kSignals[i], nullptr, &g_before[i]);
    if (g_before[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
  }
}

Interruption::~Interruption() {
  for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &g_before[i], nullptr);
  if (const int signal = g_signal; signal != 0) {
    g_signal = 0;
    std::raise(signal);
  }
}

bool Interruption::happened() { return g_signal != 0; }

}  // namespace linnet::tool
