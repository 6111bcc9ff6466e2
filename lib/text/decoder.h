// The decoder: stages from the pieces of ids to text. Every stage passes on only what later tokens cannot change, and holds the rest, so
// that text of a growing list of ids and text of a whole one come from the same code.
#pragma once

#include "text/bytes.h"
#include "text/pipeline.h"

namespace linnet::text {

/// Texts one behind the other: what a stage reads and what it writes.
struct TokenList {
  Bytes bytes;
  core::Array<uint32_t> ends;

  size_t size() const noexcept { return ends.size(); }
  std::string_view operator[](size_t i) const noexcept {
    const uint32_t begin = i == 0 ? 0 : ends[i - 1];
    return bytes.view().substr(begin, ends[i] - begin);
  }
  void clear() noexcept {
    bytes.clear();
    ends.clear();
  }
  /// The bytes since the last end become a token.
  Status end_token() noexcept { return ends.push(static_cast<uint32_t>(bytes.size())); }
};

/// What a stage remembers from one call to the next.
struct DecoderState {
  Bytes held, work;
  size_t count = 0;     // of tokens, or of characters stripped
  bool passed = false;  // something got through
};

struct DecoderStep {
  const TokenList& in;
  TokenList* out;
  DecoderState* state;
  bool last;  // no further tokens will come: nothing may stay held
};

struct DecoderFields : StageFields {
  bool joined = false;  // an earlier stage has joined the tokens to one
};
using DecoderRun = Status (*)(const DecoderFields& stage, const DecoderStep& step) noexcept;
struct DecoderStage : DecoderFields {
  DecoderRun run = nullptr;
};

Status read_decoder(const Stages* tables, core::Array<DecoderStage>* stages) noexcept;

/// Appends `bytes`, joined to what is held, to `out`, with U+FFFD for every part that cannot become a character; holds the beginning of a
/// character at the end unless `last`. `held` has at most 3 bytes between calls.
Status append_valid(std::string_view bytes, bool last, Bytes* held, Bytes* out) noexcept;

/// One run through the stages.
class Decoding {
 public:
  explicit Decoding(const core::Array<DecoderStage>& stages) noexcept : stages_(stages) {}
  /// Appends to the tokens that the next call of pass takes through the stages.
  Status add(std::string_view token) noexcept;
  size_t waiting() const noexcept { return lists_[0].size(); }
  /// Appends to `text` what has become certain.
  Status pass(bool last, Bytes* text) noexcept;

 private:
  const core::Array<DecoderStage>& stages_;
  core::Array<DecoderState> states_;
  TokenList lists_[2];
  Bytes held_;
};

// The kinds, by file.
Status decode_join(const DecoderFields& stage, const DecoderStep& step) noexcept;  // decoder.cpp
Status decode_fuse(const DecoderFields&, const DecoderStep& step) noexcept;
Status decode_byte_level(const DecoderFields&, const DecoderStep& step) noexcept;  // decode_bytes.cpp
Status decode_byte_fallback(const DecoderFields& stage, const DecoderStep& step) noexcept;
Status decode_replace(const DecoderFields& stage, const DecoderStep& step) noexcept;  // decode_replace.cpp
Status decode_strip(const DecoderFields& stage, const DecoderStep& step) noexcept;
Status decode_word_piece(const DecoderFields& stage, const DecoderStep& step) noexcept;  // decode_words.cpp
Status decode_metaspace(const DecoderFields& stage, const DecoderStep& step) noexcept;
Status decode_bpe(const DecoderFields& stage, const DecoderStep& step) noexcept;

}  // namespace linnet::text
