#include "interruption.h"

#include <csignal>

namespace linnet::tool {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM};
volatile std::sig_atomic_t g_signal = 0;
struct sigaction g_before[2];

void mark(int signal) { g_signal = signal; }

}  // namespace

Interruption::Interruption() {
  struct sigaction action = {};
  action.sa_handler = mark;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < 2; ++i) {
    sigaction(kSignals[i], nullptr, &g_before[i]);
    if (g_before[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
  }
}

Interruption::~Interruption() {
  for (int i = 0; i < 2; ++i) sigaction(kSignals[i], &g_before[i], nullptr);
}

bool Interruption::happened() { return g_signal != 0; }

void Interruption::finish() {
  if (g_signal == 0) return;
  std::signal(g_signal, SIG_DFL);
  std::raise(g_signal);
}

}  // namespace linnet::tool
