// clang-format off
// The stages of a text pipeline. Texts go: normalizer stages of the whole input -> added tokens -> other normalizer stages -> pre-tokenizer
// stages -> model -> template; ids go the other way through the decoder stages. The converter breaks whatever a tokenizer is written in down
// to the kinds below. Fields that a row does not name are not looked at. A pattern is `text`, literally or (flag kScanner) the name of a
// scanner.
//
//   normalizer       text     second       number     flags
//   lowercase_input                                   as lowercase; of the whole input: before any stage of another kind
//   nfc nfd nfkc nfkd
//   lowercase                                         1: a capital sigma that ends a word becomes a final one; else each character by itself
//   strip_accents                                     1: non-spacing marks only, else all marks
//   strip                                             1: white space on the left, 2: on the right, 4: ' ' only
//   replace          pattern  replacement             kScanner
//   prepend          prefix                                      unless the text is empty
//   precompiled                                       1: the longest key everywhere, no clusters (SentencePiece's rule);
//                                                     bytes: its character map
//   bert_clean                                                   no control characters, white space becomes ' '
//   bert_ideographs                                              ' ' around each
//
//   pre-tokenizer
//   split            pattern               Behavior   kScanner, kInvert
//   replace          pattern  replacement             kScanner
//   prepend          prefix                           kFirst: only the piece that begins the input; never doubled
//   byte_level                                                   every byte becomes its printable character
//
//   decoder
//   join             separator                                   before every token but the first
//   replace          literal  replacement
//   byte_level                                                   printable characters become bytes; tokens join
//   byte_fallback                                     1: characters of a run that is not all valid are kept (SentencePiece's rule)
//   fuse                                                         tokens join: what follows sees one
//   strip            one character  number: low 16 bits at the start, high 16 bits at the end; of every token
//   word_piece       prefix                           1: clean up the spaces of English
//   metaspace        the space's character            1: the first token keeps its spaces, 2: all but a leading one
//   bpe              suffix                                      ' ' after a word
// clang-format on
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/array.h"
#include "linnet_generated.h"
#include "text/pattern.h"

namespace linnet::text {

enum class Behavior : int32_t { isolated = 0, removed = 1, merged_with_previous = 2, merged_with_next = 3, contiguous = 4 };

constexpr uint32_t kScanner = 1 << 8;
constexpr uint32_t kInvert = 1 << 9;
constexpr uint32_t kFirst = 1 << 0;

/// A stage, its fields checked for its kind.
struct StageFields {
  std::string_view text, second;
  std::span<const uint8_t> bytes;
  int32_t number = 0;
  uint32_t flags = 0;
  Pattern pattern;
};

template <class Run>
struct Stage : StageFields {
  Run run = nullptr;
};

/// One kind of stages: its name, whether `text` is a pattern, a further check (or null), and what it does.
template <class Run>
struct StageKind {
  std::string_view name;
  bool has_pattern;
  Status (*check)(const StageFields& fields) noexcept;
  Run run;
};

using Stages = flatbuffers::Vector<flatbuffers::Offset<schema::Stage>>;

/// Reads what every kind of stage has.
StageFields read_fields(const schema::Stage& table) noexcept;
Status read_pattern(StageFields* fields) noexcept;

/// Finds the kinds of `tables`, checks the stages and keeps pointers to their texts. `what` is for messages: "normalizer".
template <class Run, size_t count>
Status read_stages(const char* what, const Stages* tables, const StageKind<Run> (&kinds)[count], core::Array<Stage<Run>>* stages) noexcept {
  for (uint32_t i = 0; tables && i < tables->size(); ++i) {
    const schema::Stage& table = *tables->Get(i);
    const StageKind<Run>* found = nullptr;
    for (const StageKind<Run>& kind : kinds)
      if (kind.name == std::string_view(table.kind()->c_str(), table.kind()->size())) found = &kind;
    if (!found)
      return Status::error(Code::unsupported, "%s stage %u is '%.64s', which this build does not have", what, i, table.kind()->c_str());
    Stage<Run> stage;
    static_cast<StageFields&>(stage) = read_fields(table);
    stage.run = found->run;
    if (found->has_pattern) LINNET_TRY(read_pattern(&stage));
    if (found->check) LINNET_TRY(found->check(stage));
    LINNET_TRY(stages->push(stage));
  }
  return {};
}

}  // namespace linnet::text
