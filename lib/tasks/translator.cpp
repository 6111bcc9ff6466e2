#include <algorithm>
#include <new>

#include "core/array.h"
#include "core/memory.h"
#include "core/try.h"
#include "generate/program.h"
#include "linnet/beam_search.h"
#include "linnet/generate.h"
#include "linnet/tasks.h"
#include "tasks/languages.h"

namespace linnet {

struct Translator::Impl {
  Model model;
  Tokenizer source, target;
  Session session;
  generation::Autoregressive program;
  BeamOptions beams;  // what beams and plain writing share; `beams.beams` decides between them
  uint32_t max_source = 0;
  AdapterId adapter = kNoAdapter;

  Ids ids;                   // of all texts of the call, one after the other
  core::Array<size_t> ends;  // end of each text in them
  Text text;                 // of all results, one after the other
  core::Array<size_t> text_ends;

  std::span<const int32_t> source_of(size_t i) const noexcept {
    const size_t begin = i ? ends[i - 1] : 0;
    return {ids.data() + begin, ends[i] - begin};
  }
  Status encode(std::string_view text, int32_t language) noexcept;
  Status finish(std::span<const int32_t> written) noexcept;
  Status write_plainly(std::span<const int32_t> prompt) noexcept;
  Status search(std::span<const int32_t> prompt) noexcept;
};

namespace {

constexpr uint32_t kDefaultSource = 1024;
constexpr uint32_t kDefaultTokens = 256;
constexpr uint32_t kDefaultTexts = 8;

// How texts are written, by what was asked for and then what the file says.
BeamOptions writing_options(const Model& model, const TranslatorOptions& asked) {
  const GenerationDefaults defaults = model.generation();
  BeamOptions options;
  options.beams = asked.beams ? asked.beams : std::max(defaults.beams, 1u);
  // The file's lengths count the id that a text begins with.
  options.max_tokens = asked.max_tokens ? asked.max_tokens : defaults.max_length > 1 ? defaults.max_length - 1 : kDefaultTokens;
  options.min_tokens = std::min(defaults.min_length > 1 ? defaults.min_length - 1 : 0, options.max_tokens);
  options.length_penalty = defaults.length_penalty;
  options.early_stopping = static_cast<EarlyStopping>(std::min<uint8_t>(defaults.early_stopping, 2));
  options.eos = defaults.eos;
  options.forced_bos = defaults.forced_bos;
  options.forced_eos = defaults.forced_eos;
  options.banned = defaults.banned;
  options.repetition_penalty = defaults.repetition_penalty;
  options.no_repeat_ngram = defaults.no_repeat_ngram;
  return options;
}

uint32_t made_for(const Model& model, std::string_view kind) {
  for (size_t i = 0; i < model.programs(); ++i)
    if (model.program(i).kind == kind) return model.program(i).max_positions;
  return 0;
}

Limits limits_for(const Model& model, const TranslatorOptions& asked, const BeamOptions& writing, uint32_t max_source) {
  const uint32_t positions = made_for(model, "decode"), texts = asked.batch_texts ? asked.batch_texts : kDefaultTexts;
  Limits limits;
  limits.context = positions ? std::min(positions, writing.max_tokens + 1) : writing.max_tokens + 1;
  limits.sequences = writing.beams > 1 ? writing.beams : texts;
  limits.batch_tokens = std::max(limits.sequences, std::min(limits.context, 64u));
  limits.source_tokens = writing.beams > 1 ? max_source : std::max(max_source, kDefaultSource);
  limits.sources = writing.beams > 1 ? 1 : texts;
  limits.threads = asked.threads;
  limits.isa = asked.isa;
  if (asked.adapter) {
    limits.adapters = 1;
    limits.adapter_rank = asked.adapter->rank();
  }
  return limits;
}

}  // namespace

Result<Translator> Translator::create(const Model& model, const TranslatorOptions& options) noexcept {
  LINNET_ASSIGN(generation::Autoregressive program, generation::find_autoregressive(model));
  if (!program.reads_source())
    return Status::error(Code::unsupported, "the model does not write from a source; its task is %s", model.task().data());
  LINNET_ASSIGN(Tokenizer source, Tokenizer::create(model));
  LINNET_ASSIGN(Tokenizer target, Tokenizer::create_target(model));
  BeamOptions writing = writing_options(model, options);
  const uint32_t most = made_for(model, "encode");
  if (most && options.max_source > most)
    return Status::error(Code::invalid_argument, "max_source is %u but the model was made for %u positions", options.max_source, most);
  const uint32_t max_source = options.max_source ? options.max_source : most ? std::min(most, kDefaultSource) : kDefaultSource;
  const Limits limits = limits_for(model, options, writing, max_source);
  writing.max_tokens = std::min(writing.max_tokens, limits.context);
  writing.min_tokens = std::min(writing.min_tokens, writing.max_tokens);
  LINNET_ASSIGN(Plan planned, plan(model, limits));
  LINNET_ASSIGN(Session session, Session::create(model, planned));
  AdapterId adapter = kNoAdapter;
  if (options.adapter) {
    LINNET_ASSIGN(adapter, session.attach(*options.adapter));
  }
  writing.adapter = adapter;
  void* memory = core::allocate(sizeof(Impl));
  if (!memory) return Status::error(Code::out_of_memory, "no memory for a translator");
  return Translator(new (memory) Impl{
      model.share(), std::move(source), std::move(target), std::move(session), program, writing, max_source, adapter, {}, {}, {}, {}});
}

Translator::Translator(Translator&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}

Translator::~Translator() {
  if (impl_) impl_->~Impl();
  core::release(impl_);
}

Session& Translator::session() noexcept { return impl_->session; }
size_t Translator::results() const noexcept { return impl_->text_ends.size(); }
std::string_view Translator::result(size_t i) const noexcept {
  const size_t begin = i ? impl_->text_ends[i - 1] : 0;
  return {impl_->text.data() + begin, impl_->text_ends[i] - begin};
}

// The tokenizer puts the code of the file's own source language beside a text; `language` takes its place.
Status Translator::Impl::encode(std::string_view from, int32_t language) noexcept {
  Tokenizer::EncodeOptions options;
  options.max_tokens = max_source;
  Ids encoded;
  LINNET_TRY(source.encode(from, options, &encoded));
  if (encoded.size() == 0) return Status::error(Code::invalid_argument, "text %zu has no tokens", ends.size());
  size_t place = encoded.size();
  for (size_t i = 0; i < encoded.size() && place == encoded.size(); ++i)
    if (tasks::is_language(source, encoded[i])) place = i;
  if (language < 0)
    place = encoded.size();
  else if (place == encoded.size())
    return Status::error(Code::invalid_argument, "the tokenizer puts no language beside a text, so that none can be chosen");
  LINNET_TRY(ids.append(encoded.data(), place));
  if (place < encoded.size()) {
    LINNET_TRY(ids.append(&language, 1));
    LINNET_TRY(ids.append(encoded.data() + place + 1, encoded.size() - place - 1));
  }
  return ends.push(ids.size());
}

Status Translator::Impl::finish(std::span<const int32_t> written) noexcept {
  LINNET_TRY(target.decode(written, true, &text));
  return text_ends.push(text.size());
}

Status Translator::Impl::write_plainly(std::span<const int32_t> prompt) noexcept {
  GenerateOptions options;
  options.max_tokens = beams.max_tokens;
  options.min_tokens = beams.min_tokens;
  options.eos = beams.eos;
  options.forced_bos = beams.forced_bos;
  options.forced_eos = beams.forced_eos;
  options.sampling.banned = beams.banned;
  options.sampling.repetition_penalty = beams.repetition_penalty;
  options.sampling.no_repeat_ngram = beams.no_repeat_ngram;
  LINNET_ASSIGN(Generator generator, Generator::create(session, model, options));
  for (size_t i = 0; i < ends.size(); ++i)
    LINNET_TRY(generator.add({.prompt = prompt, .adapter = adapter, .source = source_of(i)}).status());
  LINNET_TRY(generator.run());
  for (size_t i = 0; i < ends.size(); ++i) LINNET_TRY(finish(generator.ids(i)));
  return {};
}

Status Translator::Impl::search(std::span<const int32_t> prompt) noexcept {
  for (size_t i = 0; i < ends.size(); ++i) {
    BeamOptions options = beams;
    options.source = source_of(i);
    LINNET_ASSIGN(BeamSearch found, beam_search(session, model, prompt, options));
    LINNET_TRY(finish(found.ids(0)));
  }
  return {};
}

Status Translator::translate(std::span<const std::string_view> texts, const Languages& languages) noexcept {
  Impl& impl = *impl_;
  impl.ids.clear();
  impl.ends.clear();
  impl.text.clear();
  impl.text_ends.clear();
  int32_t from = -1, to = -1;
  if (!languages.source.empty()) {
    LINNET_ASSIGN(from, tasks::language_id(impl.source, languages.source));
  }
  if (!languages.target.empty()) {
    LINNET_ASSIGN(to, tasks::language_id(impl.target, languages.target));
  }
  for (std::string_view text : texts) LINNET_TRY(impl.encode(text, from));
  // Texts begin with their language, or with an id of their own that the language follows.
  const int32_t start = impl.program.start;
  const bool begins = start < 0 || tasks::is_language(impl.target, start);
  std::span<const int32_t> prompt;
  const int32_t forced = impl.beams.forced_bos;
  if (to >= 0 && begins) prompt = {&to, 1};
  if (to >= 0 && !begins) impl.beams.forced_bos = to;
  Status status = impl.beams.beams > 1 ? impl.search(prompt) : impl.write_plainly(prompt);
  impl.beams.forced_bos = forced;
  if (!status.ok()) impl.text_ends.clear();
  return status;
}

}  // namespace linnet
