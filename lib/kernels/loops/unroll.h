// For loops over registers: unrolled, each element of an array of them is a register and never memory.
#pragma once

#if defined(__clang__)
#define LINNET_UNROLL _Pragma("unroll")
#else
#define LINNET_UNROLL _Pragma("GCC unroll 64")
#endif
