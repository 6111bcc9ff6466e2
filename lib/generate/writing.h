// What a generator is made of: its texts, and what one turn of all of them needs.
#pragma once

#include <optional>

#include "core/array.h"
#include "generate/program.h"
#include "generate/speculation.h"
#include "generate/text_output.h"
#include "linnet/generate.h"

namespace linnet::generation {

/// One text.
struct Writing {
  enum class Stage : uint8_t { waiting, running, ended };  // without a sequence yet, with one, written
  Stage stage = Stage::waiting;
  SequenceId sequence = 0;
  bool owns_sequence = true;
  uint32_t number = 0;     // among all texts
  uint32_t prompt_of = 0;  // the text that reads the prompt of this one too
  TokenFilter filter;
  AdapterId adapter = kNoAdapter;  // of a sequence that is made for it

  core::Array<int32_t> source;   // what it is written from; of the text that prompt_of names
  bool encoded = true;           // its sequence holds the source, or there is none

  core::Array<int32_t> ids;      // held by the sequence at the start, where known; prompt; new ones
  size_t held = 0, prompt = 0;   // how many are of the first kinds
  uint64_t before = 0;           // positions of the sequence in front of ids[0]
  core::Array<int32_t> context;  // what the sequence reads behind those: all ids, or what is left of them after a slide
  size_t read = 0;               // how many of `context` it has read; the rest of a prompt follows, or the id that was drawn last
  bool slid = false;

  core::Array<float> log_probabilities;   // [new id]
  core::Array<TokenProbability> top;      // [new id][rank]
  core::Array<uint32_t> top_ends;         // [new id]: where its part of `top` ends
  TextOutput* output = nullptr;           // owned; null without a tokenizer
  uint64_t started = 0, prompt_read = 0;  // by the clock
  GenerateReport report;

  Writing() noexcept = default;
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;
  ~Writing();
  size_t fixed() const noexcept { return held + prompt; }
  std::span<const int32_t> all() const noexcept { return {ids.data(), ids.size()}; }
  std::span<const int32_t> written() const noexcept { return all().subspan(fixed()); }
  std::span<const int32_t> unread() const noexcept { return {context.data() + read, context.size() - read}; }
};

/// One text's part of a run.
struct Part {
  Writing* text;
  size_t count;  // ids that are read, drafts not counted
};

}  // namespace linnet::generation

namespace linnet {

struct Generator::Impl {
  Impl(Session& in, const generation::Autoregressive& found, const GenerateOptions& asked, Sampler&& drawing) noexcept
      : session(in), program(found), options(asked), sampler(std::move(drawing)) {}
  ~Impl();

  Session& session;
  generation::Autoregressive program;
  GenerateOptions options;
  Sampler sampler;
  std::optional<LogProbabilities> log_probabilities;
  generation::StopStrings stops;
  core::Array<uint64_t> allowed;            // bits, for filters
  core::Array<generation::Writing*> texts;  // owned
  core::Array<Input> inputs;                // of one run; room for `together` of each
  core::Array<generation::Part> parts;
  size_t together = 0;  // texts that can run at once
  std::optional<generation::Speculator> speculator;
  bool broken = false;  // memory ran out between a run and the end of its turn

  // generator.cpp
  Status prepare() noexcept;
  /// A text that has ended gives its sequence to another from the same prompt, if one waits, or back.
  void release_sequence(generation::Writing* text) noexcept;

  // turn.cpp
  /// Gives sequences to texts that wait, and chooses what each text reads in the next run. No part: every text has ended.
  Status plan_turn() noexcept;
  /// One run, and what follows from it.
  Status turn() noexcept;

  // speculative_turn.cpp
  /// Whether the next run reads one id of one text, so that drafts can be checked in it.
  bool may_speculate() const noexcept;
  /// One run that checks drafts, if there are any, and what follows from it.
  Status speculative_turn() noexcept;

  // sources.cpp
  /// Whether a text that waits may begin, as far as sources go: its own is held already, or there is room for one more.
  bool has_room_for_source(const generation::Writing& text) const noexcept;
  /// Reads the sources of texts that have begun, as many in one run as limits.source_tokens allows.
  Status read_sources() noexcept;

  // context.cpp
  Status check_room(const generation::Writing& text) const noexcept;
  /// For a text whose next id finds no room: ends it, or makes room.
  Status make_room(generation::Writing* text) noexcept;

  // choose.cpp
  /// The next id of a text from the logits behind what it has read.
  Status choose(generation::Writing* text, std::span<const float> logits) noexcept;
  Status end(generation::Writing* text, GenerateReport::End how) noexcept;
};

}  // namespace linnet
