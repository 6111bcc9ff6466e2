#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>

#include "core/limits.h"
#include "core/platform.h"
#include "plan/plan_impl.h"

namespace linnet::plan_detail {
namespace {

// A core's highest clock in kHz, 0 when the system does not say.
uint32_t highest_clock(int core) {
  char path[96];
  snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cpufreq/cpuinfo_max_freq", core);
  auto file = core::File::open(path);
  if (!file.ok()) return 0;
  char digits[12] = {};
  ssize_t got = pread((*file).descriptor(), digits, sizeof digits - 1, 0);
  uint32_t clock = 0;
  for (ssize_t i = 0; i < got && digits[i] >= '0' && digits[i] <= '9'; ++i) clock = clock * 10 + static_cast<uint32_t>(digits[i] - '0');
  return clock;
}

}  // namespace

uint32_t performance_cores() noexcept {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  uint32_t highest = 0, count = 0;
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &allowed)) highest = std::max(highest, highest_clock(core));
  // Little cores run at well under four fifths of the big ones' clock; where nothing is said all cores count.
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &allowed) && highest_clock(core) >= highest / 5 * 4) ++count;
  return std::clamp(count, 1u, core::limits::kThreads);
}

}  // namespace linnet::plan_detail
