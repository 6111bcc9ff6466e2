// Which levels this build has, which of them this processor runs, and their tables.
#include "kernels/kernels.h"

#include <cstring>

#include "core/platform.h"
#include "kernels/levels.h"

#if LINNET_WITH_CPUINFO
#include <cpuinfo.h>
#elif defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace linnet::kernels {
namespace {

/// What a processor (and its operating system) can run, as far as the levels care.
struct Abilities {
  bool always = true;
  bool avx2 = false, avxvnni = false, avx512vnni = false;
  bool dotprod = false, i8mm = false;
};

#if LINNET_WITH_CPUINFO
Abilities ask_processor() noexcept {
  Abilities able;
  if (!cpuinfo_initialize()) return able;
  able.avx2 = cpuinfo_has_x86_avx2() && cpuinfo_has_x86_fma3() && cpuinfo_has_x86_f16c();
  able.avxvnni = able.avx2 && cpuinfo_has_x86_avxvnni();
  able.avx512vnni = able.avx2 && cpuinfo_has_x86_avx512f() && cpuinfo_has_x86_avx512bw() && cpuinfo_has_x86_avx512dq() &&
                    cpuinfo_has_x86_avx512vl() && cpuinfo_has_x86_avx512vnni();
  able.dotprod = cpuinfo_has_arm_neon_dot();
  able.i8mm = able.dotprod && cpuinfo_has_arm_i8mm();
  return able;
}
#elif defined(__x86_64__)
bool bit(unsigned word, unsigned index) { return (word >> index & 1) != 0; }

// Which register files the operating system saves (XCR0); asked in assembly, since the intrinsic needs a flag of its own.
unsigned saved_registers() noexcept {
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

Abilities ask_processor() noexcept {
  Abilities able;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return able;
  const bool fma = bit(c, 12), f16c = bit(c, 29), xsave = bit(c, 27);
  if (!xsave) return able;
  const unsigned saved = saved_registers();
  const bool ymm = (saved & 0x06) == 0x06, zmm = (saved & 0xe6) == 0xe6;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return able;
  const unsigned subleaves = a;
  able.avx2 = ymm && bit(b, 5) && fma && f16c;
  able.avx512vnni = able.avx2 && zmm && bit(b, 16) && bit(b, 17) && bit(b, 30) && bit(b, 31) && bit(c, 11);
  if (subleaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) able.avxvnni = able.avx2 && bit(a, 4);
  return able;
}
#elif defined(__aarch64__) && defined(__linux__)
Abilities ask_processor() noexcept {
  Abilities able;
  able.dotprod = (getauxval(AT_HWCAP) >> 20 & 1) != 0;                  // HWCAP_ASIMDDP
  able.i8mm = able.dotprod && (getauxval(AT_HWCAP2) >> 13 & 1) != 0;    // HWCAP2_I8MM
  return able;
}
#else
Abilities ask_processor() noexcept { return {}; }
#endif

const Abilities& abilities() noexcept {
  static const Abilities asked = ask_processor();
  return asked;
}

// A level that this build lacks has no fill function.
using Fill = void (*)(Kernels&) noexcept;

void fill_portable(Kernels& kernels) noexcept {
  fill_linear_portable(kernels.linear);
  fill_vector_portable(kernels.vector);
  fill_attention_portable(kernels.attention);
}
#if LINNET_WITH_AVX2
void fill_avx2(Kernels& kernels) noexcept {
  fill_linear_avx2(kernels.linear);
  fill_vector_avx2(kernels.vector);
  fill_attention_avx2(kernels.attention);
}
#else
constexpr Fill fill_avx2 = nullptr;
#endif
#if LINNET_WITH_AVXVNNI
void fill_avxvnni(Kernels& kernels) noexcept { fill_linear_avxvnni(kernels.linear); }
#else
constexpr Fill fill_avxvnni = nullptr;
#endif
#if LINNET_WITH_AVX512VNNI
void fill_avx512vnni(Kernels& kernels) noexcept {
  fill_linear_avx512vnni(kernels.linear);
  fill_vector_avx512vnni(kernels.vector);
  fill_attention_avx512vnni(kernels.attention);
}
#else
constexpr Fill fill_avx512vnni = nullptr;
#endif
#if LINNET_WITH_NEON
void fill_neon(Kernels& kernels) noexcept {
  fill_linear_neon(kernels.linear);
  fill_vector_neon(kernels.vector);
  fill_attention_neon(kernels.attention);
}
#else
constexpr Fill fill_neon = nullptr;
#endif
#if LINNET_WITH_DOTPROD
void fill_dotprod(Kernels& kernels) noexcept { fill_linear_dotprod(kernels.linear); }
#else
constexpr Fill fill_dotprod = nullptr;
#endif
#if LINNET_WITH_I8MM
void fill_i8mm(Kernels& kernels) noexcept { fill_linear_i8mm(kernels.linear); }
#else
constexpr Fill fill_i8mm = nullptr;
#endif

struct Entry {
  Level level;
  const char* name;
  bool Abilities::*needs;
  Fill fill;
};
constexpr Entry kLevels[] = {
    {Level::portable, "portable", &Abilities::always, fill_portable},
    {Level::avx2, "avx2", &Abilities::avx2, fill_avx2},
    {Level::avxvnni, "avxvnni", &Abilities::avxvnni, fill_avxvnni},
    {Level::avx512vnni, "avx512vnni", &Abilities::avx512vnni, fill_avx512vnni},
    {Level::neon, "neon", &Abilities::always, fill_neon},
    {Level::dotprod, "dotprod", &Abilities::dotprod, fill_dotprod},
    {Level::i8mm, "i8mm", &Abilities::i8mm, fill_i8mm},
};

bool includes(Level top, Level level) noexcept {
  return level == Level::portable || (level <= top && (level >= Level::neon) == (top >= Level::neon));
}

// The levels below `top` come first, so that what a level leaves out is the best of those below it.
Kernels make(Level top) noexcept {
  Kernels kernels{};
  kernels.level = top;
  for (const Entry& entry : kLevels)
    if (entry.fill && includes(top, entry.level)) entry.fill(kernels);
  return kernels;
}

const char* requested() noexcept {
  const char* text = core::environment("LINNET_ISA");
  return text && *text ? text : nullptr;
}

Level best_level() noexcept {
  Level asked;
  if (const char* text = requested(); text && level_from_name(text, &asked) && available(asked)) return asked;
  Level best = Level::portable;
  for (const Entry& entry : kLevels)
    if (available(entry.level)) best = entry.level;
  return best;
}

}  // namespace

const char* name(Level level) noexcept {
  for (const Entry& entry : kLevels)
    if (entry.level == level) return entry.name;
  return "unknown";
}

bool level_from_name(const char* text, Level* level) noexcept {
  for (const Entry& entry : kLevels)
    if (std::strcmp(entry.name, text) == 0) {
      *level = entry.level;
      return true;
    }
  return false;
}

bool available(Level level) noexcept {
  for (const Entry& entry : kLevels)
    if (entry.level == level) return entry.fill && abilities().*entry.needs;
  return false;
}

const Kernels& table(Level level) noexcept {
  static const Kernels tables[] = {make(Level::portable),   make(Level::avx2), make(Level::avxvnni),
                                   make(Level::avx512vnni), make(Level::neon), make(Level::dotprod),
                                   make(Level::i8mm)};
  for (const Kernels& kernels : tables)
    if (kernels.level == level) return kernels;
  return tables[0];
}

const Kernels& best() noexcept {
  static const Kernels& chosen = table(best_level());
  return chosen;
}

const char* refused_request() noexcept {
  const char* text = requested();
  Level asked;
  return text && level_from_name(text, &asked) && available(asked) ? nullptr : text;
}

}  // namespace linnet::kernels
