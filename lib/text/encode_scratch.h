// The working memory of one encoding. A tokenizer keeps one set for the next call; further calls at the same time make their own.
#pragma once

#include <atomic>

#include "text/model.h"
#include "text/stretch.h"

namespace linnet::text {

struct EncodeScratch {
  Bytes clean;     // the input where it was not valid UTF-8
  Stretch input;   // the whole input, where the normalizer rewrites it
  Stretch normal;  // the stretch at hand, normalized
  Pieces pieces;   // what of it lies between two normalized added tokens
  ModelScratch model;
  IdList ids[2];  // of the text and of its pair

  size_t memory() const noexcept {
    return clean.capacity() + input.memory() + normal.memory() + pieces.stretch.memory() + pieces.spans.size() * sizeof(Span) * 2 +
           model.memory() + (ids[0].size() + ids[1].size()) * sizeof(int32_t);
  }
};

class ScratchPool {
 public:
  ScratchPool() noexcept = default;
  ~ScratchPool() { destroy(spare_.load()); }
  /// Null when there is no memory.
  EncodeScratch* take() noexcept;
  /// Kept, unless there is one or it has grown large.
  void give(EncodeScratch* scratch) noexcept;

 private:
  static void destroy(EncodeScratch* scratch) noexcept;

  std::atomic<EncodeScratch*> spare_{nullptr};
};

}  // namespace linnet::text
