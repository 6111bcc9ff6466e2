// Text to ids: what the normalizer does to the whole input, added tokens in it, the normalizer between them, added tokens in the normalized
// text, the pre-tokenizer between those, and the model for each piece.
#include "text/template.h"
#include "text/tokenizer_impl.h"

namespace linnet {
namespace text {
namespace {

constexpr size_t kMostText = size_t{1} << 30;
constexpr size_t kGrowth = 64, kFreeGrowth = 1 << 16;  // normalizers may make a text this many times longer, and a short one more

class Encoder {
 public:
  /// `spans`: those of a chat, or null.
  Encoder(const Tokenizer::Impl& impl, bool match_special, const std::span<const TextSpan>* spans, EncodeScratch* scratch) noexcept
      : impl_(impl), scratch_(*scratch), raw_{match_special, spans}, normal_{match_special, nullptr}, is_chat_(spans != nullptr) {}

  Status encode(std::string_view text, IdList* ids) noexcept {
    if (text.size() > kMostText)
      return Status::error(Code::invalid_argument, "a text of %zu bytes, expected at most %zu", text.size(), kMostText);
    ids->clear();
    ids_ = ids;
    LINNET_TRY(make_valid(&text));
    limit_ = text.size() * kGrowth + kFreeGrowth < UINT32_MAX / 2 ? text.size() * kGrowth + kFreeGrowth : UINT32_MAX / 2;
    // The parts of a chat are known in the text as it came: there, each stretch is rewritten by itself.
    if (!is_chat_) LINNET_TRY(rewrite_input(&text));
    const AddedTokens::SetKind kind = is_chat_ ? AddedTokens::kChat : AddedTokens::kRaw;
    return between_added(text, kind, true, [this](std::string_view gap, bool begins_input) { return add_raw(gap, begins_input); });
  }

 private:
  // Each invalid byte becomes a replacement character, in a copy that is only made when there is one.
  Status make_valid(std::string_view* text) {
    size_t valid = 0;
    while (valid < text->size()) {
      const Point point = decode(*text, valid);
      if (!point.valid) break;
      valid += point.length;
    }
    if (valid == text->size()) return {};
    Bytes& clean = scratch_.clean;
    clean.clear();
    LINNET_TRY(clean.append(text->substr(0, valid)));
    for (size_t at = valid; at < text->size();) {
      const Point point = decode(*text, at);
      if (point.valid) LINNET_TRY(clean.append(text->substr(at, point.length)));
      for (uint32_t i = 0; !point.valid && i < point.length; ++i) LINNET_TRY(clean.append(kReplacementBytes));
      at += point.length;
    }
    *text = clean.view();
    return {};
  }

  Status rewrite_input(std::string_view* text) {
    if (!impl_.normalizer.changes_input()) return {};
    scratch_.input.start(*text, true, limit_);
    LINNET_TRY(impl_.normalizer.rewrite_input(&scratch_.input));
    *text = scratch_.input.text();
    return {};
  }

  template <class Gap>
  Status between_added(std::string_view text, AddedTokens::SetKind kind, bool begins_input, Gap gap) {
    size_t done = 0, from = 0;
    while (!impl_.added.none(kind)) {
      const AddedTokens::Match match = impl_.added.next(text, from, done, kind, kind == AddedTokens::kNormalized ? normal_ : raw_);
      if (!match.token) break;
      if (match.span.begin > done) LINNET_TRY(gap(text.substr(done, match.span.begin - done), begins_input && done == 0));
      LINNET_TRY(ids_->push(static_cast<int32_t>(match.token->id())));
      done = match.span.end;
      from = match.resume;
    }
    if (done >= text.size()) return {};
    return gap(text.substr(done), begins_input && done == 0);
  }

  Status add_raw(std::string_view text, bool begins_input) {
    Stretch& normal = scratch_.normal;
    normal.start(text, begins_input, limit_);
    if (is_chat_ && impl_.normalizer.changes_input()) LINNET_TRY(impl_.normalizer.rewrite_input(&normal));
    LINNET_TRY(impl_.normalizer.rewrite(&normal));
    return between_added(normal.text(), AddedTokens::kNormalized, normal.begins_input(),
                         [this](std::string_view gap, bool begins) { return add_normal(gap, begins); });
  }

  Status add_normal(std::string_view text, bool begins_input) {
    Pieces& pieces = scratch_.pieces;
    pieces.stretch.start(text, begins_input, limit_);
    LINNET_TRY(pre_tokenize(impl_.pre_tokenizer, &pieces));
    for (Span span : pieces.spans)
      if (span.begin < span.end) LINNET_TRY(add_word(pieces.text(span)));
    return {};
  }

  Status add_word(std::string_view word) {
    const size_t begin = ids_->size();
    LINNET_TRY(tokenize_word(impl_.model, word, &scratch_.model, ids_));
    if (!is_chat_ || !has_special(begin)) return {};
    // The model itself knows a special token by this text; its characters are plain.
    while (ids_->size() > begin) ids_->pop();
    for (size_t at = 0; at < word.size();) {
      const size_t length = decode(word, at).length, before = ids_->size();
      LINNET_TRY(tokenize_word(impl_.model, {word.data() + at, length}, &scratch_.model, ids_));
      while (has_special(before)) ids_->pop();
      at += length;
    }
    return {};
  }
  bool has_special(size_t begin) const {
    for (size_t i = begin; i < ids_->size(); ++i)
      if ((*ids_)[i] != impl_.model.unknown_id && impl_.is_special((*ids_)[i])) return true;
    return false;
  }

  const Tokenizer::Impl& impl_;
  EncodeScratch& scratch_;
  IdList* ids_ = nullptr;
  size_t limit_ = 0;
  AddedTokens::Places raw_, normal_;
  bool is_chat_;
};

Status encode_spans(const Tokenizer::Impl& impl, std::string_view text, std::span<const TextSpan> spans, EncodeScratch* scratch, Ids* ids) {
  size_t covered = 0;
  for (const TextSpan& span : spans) {
    if (span.begin != covered || span.end < span.begin) break;
    covered = span.end;
  }
  if (covered != text.size() || (!spans.empty() && spans.back().end != covered))
    return Status::error(Code::invalid_argument, "the spans of a chat's text cover %zu of its %zu bytes", covered, text.size());
  for (size_t at = 0; at < text.size();) {
    const Point point = decode(text, at);
    if (!point.valid) return Status::error(Code::invalid_argument, "a chat's text is not valid UTF-8 at byte %zu", at);
    at += point.length;
  }
  Encoder encoder(impl, false, &spans, scratch);
  LINNET_TRY(encoder.encode(text, &scratch->ids[0]));
  return ids->append(scratch->ids[0].data(), scratch->ids[0].size());
}

Status encode_with(const Tokenizer::Impl& impl, std::string_view text, const std::string_view* pair,
                   const Tokenizer::EncodeOptions& options, EncodeScratch* scratch, Ids* ids, Ids* type_ids) {
  Encoder encoder(impl, options.match_special, nullptr, scratch);
  LINNET_TRY(encoder.encode(text, &scratch->ids[0]));
  scratch->ids[1].clear();
  if (pair) LINNET_TRY(encoder.encode(*pair, &scratch->ids[1]));
  const TemplateItems* items = pair ? impl.table->pair() : impl.table->single();
  size_t first = scratch->ids[0].size(), second = scratch->ids[1].size();
  const size_t most = options.max_tokens > 0 ? options.max_tokens : impl.table->max_length();
  if (most > 0) truncate(most, options.add_special ? count_special(items) : 0, &first, pair ? &second : nullptr);
  return apply_template(items, options.add_special, {scratch->ids[0].data(), first}, {scratch->ids[1].data(), second}, ids, type_ids);
}

Status encode_any(const Tokenizer::Impl& impl, std::string_view text, const std::string_view* pair, const Tokenizer::EncodeOptions& options,
                  Ids* ids, Ids* type_ids) {
  EncodeScratch* scratch = impl.scratch.take();
  if (!scratch) return Status::error(Code::out_of_memory, "no memory for encoding a text");
  Status done = encode_with(impl, text, pair, options, scratch, ids, type_ids);
  impl.scratch.give(scratch);
  return done;
}

}  // namespace
}  // namespace text

Status Tokenizer::encode(std::string_view text, const EncodeOptions& options, Ids* ids) const noexcept {
  return text::encode_any(*impl_, text, nullptr, options, ids, nullptr);
}

Status Tokenizer::encode_chat(std::string_view text, std::span<const TextSpan> spans, Ids* ids) const noexcept {
  text::EncodeScratch* scratch = impl_->scratch.take();
  if (!scratch) return Status::error(Code::out_of_memory, "no memory for encoding a text");
  Status done = text::encode_spans(*impl_, text, spans, scratch, ids);
  impl_->scratch.give(scratch);
  return done;
}

Status Tokenizer::encode_pair(std::string_view text, std::string_view pair, const EncodeOptions& options, Ids* ids,
                              Ids* type_ids) const noexcept {
  return text::encode_any(*impl_, text, &pair, options, ids, type_ids);
}

}  // namespace linnet
