// Linnet: how much memory a model needs, known before a byte of it is taken.
#pragma once

#include <cstdint>
#include <string_view>

#include "linnet/model.h"

namespace linnet {

enum class StateEncoding : uint8_t { as_file, f32, f16, int8 };

/// What a session must be able to do. 0 means: as much as makes sense, as said for each.
struct Limits {
  uint32_t context = 0;         ///< positions of one sequence; 0 = what the model was made for, at most 4096
  uint32_t batch_tokens = 0;    ///< tokens of one run; longer prompts are cut into chunks; 0 = min(context, 512), encoders: context
  uint32_t sequences = 1;       ///< sequences alive at once
  uint32_t outputs = 0;         ///< rows of logits of one run; 0 = `sequences` for programs that write text, else batch_tokens
  uint32_t source_tokens = 0;   ///< of one encode run, so also of one source; 0 = what the model was made for, at most 1024
  uint32_t sources = 0;         ///< sources of that size alive at once, which any number of sequences share; 0 = sequences
  uint32_t patches = 0;         ///< feature or patch rows of one run; 0 = max_positions of the program
  uint32_t images = 0;          ///< pictures of one run; 0 = `sequences`
  uint32_t threads = 0;         ///< workers, the caller included; 0 = the number of big cores
  uint32_t rewind = 0;          ///< positions that windowed layers keep beyond their window, so that rewind(n) can go back
  uint32_t adapters = 0;        ///< adapters attached at once; 0 = none, and none of their scratch
  uint32_t adapter_rank = 0;    ///< the largest rank among them; 0 = 64 where there are adapters
  StateEncoding state = StateEncoding::as_file;
  uint64_t provider_memory = UINT64_MAX;  ///< bytes that providers (XNNPACK) may take for packed copies of dense weights; 0 = none
  std::string_view isa = {};        ///< kernel level ("portable", "avx2", ...); "" = the best of this processor
};

class LINNET_API Plan {
 public:
  Plan(Plan&&) noexcept;
  Plan& operator=(Plan&&) noexcept;
  ~Plan();
  /// Another handle to the same plan.
  Plan share() const noexcept;

  const Limits& limits() const noexcept;    ///< with every 0 filled in

  uint64_t mapped_weights() const noexcept; ///< bytes of the file that are mapped (or read)
  uint64_t state() const noexcept;          ///< pages of tokens and sources, recurrent state
  uint64_t activations() const noexcept;    ///< all values of the largest program, placed by lifetime
  uint64_t scratch() const noexcept;
  uint64_t constants() const noexcept;      ///< frequency tables and the like
  uint64_t provider() const noexcept;       ///< packed copies of weights
  uint64_t control() const noexcept;        ///< page tables, worker stacks' bookkeeping
  uint64_t arena() const noexcept;          ///< all of these but the mapped weights: what a session takes

  /// The largest number of value and scratch bytes alive at once in any program, and activations + scratch over it.
  uint64_t lower_bound() const noexcept;
  double ratio() const noexcept;

  struct Lifetime {
    std::string_view program;
    std::string_view name;                  ///< of the value or, for scratch, of the operation
    uint64_t offset, bytes;                 ///< in the arena's activation part
    uint32_t first, last;                   ///< operations
    bool scratch;
  };
  size_t lifetimes() const noexcept;
  Lifetime lifetime(size_t i) const noexcept;

  struct Impl;
  const Impl& impl() const noexcept { return *impl_; }
  explicit Plan(Impl* impl) noexcept : impl_(impl) {}

 private:
  Impl* impl_;
};

/// Places every value, scratch piece and state page. Errors: invalid_argument (a limit that the model cannot serve, by name and with
/// both numbers), out_of_memory (the plan itself).
LINNET_API Result<Plan> plan(const Model& model, const Limits& limits) noexcept;

/// Whether a session with these limits fits into `bytes` (mapped weights aside); false also when the model cannot serve the limits.
LINNET_API bool fits(const Model& model, const Limits& limits, uint64_t bytes) noexcept;

}  // namespace linnet
