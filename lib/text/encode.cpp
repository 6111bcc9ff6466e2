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
  Encoder(const Tokenizer::Impl& impl, bool match_special, EncodeScratch* scratch) noexcept
      : impl_(impl), scratch_(*scratch), match_special_(match_special) {}

  Status encode(std::string_view text, IdList* ids) noexcept {
    if (text.size() > kMostText)
      return Status::error(Code::invalid_argument, "a text of %zu bytes, expected at most %zu", text.size(), kMostText);
    ids->clear();
    ids_ = ids;
    LINNET_TRY(make_valid(&text));
    limit_ = text.size() * kGrowth + kFreeGrowth < UINT32_MAX / 2 ? text.size() * kGrowth + kFreeGrowth : UINT32_MAX / 2;
    LINNET_TRY(rewrite_input(&text));
    return between_added(text, false, true, [this](std::string_view gap, bool begins_input) { return add_raw(gap, begins_input); });
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
  Status between_added(std::string_view text, bool normalized, bool begins_input, Gap gap) {
    size_t done = 0, from = 0;
    while (!impl_.added.none(normalized)) {
      const AddedTokens::Match match = impl_.added.next(text, from, done, normalized, match_special_);
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
    LINNET_TRY(impl_.normalizer.rewrite(&normal));
    return between_added(normal.text(), true, normal.begins_input(),
                         [this](std::string_view gap, bool begins) { return add_normal(gap, begins); });
  }

  Status add_normal(std::string_view text, bool begins_input) {
    Pieces& pieces = scratch_.pieces;
    pieces.stretch.start(text, begins_input, limit_);
    LINNET_TRY(pre_tokenize(impl_.pre_tokenizer, &pieces));
    for (Span span : pieces.spans)
      if (span.begin < span.end) LINNET_TRY(tokenize_word(impl_.model, pieces.text(span), &scratch_.model, ids_));
    return {};
  }

  const Tokenizer::Impl& impl_;
  EncodeScratch& scratch_;
  IdList* ids_ = nullptr;
  size_t limit_ = 0;
  bool match_special_;
};

Status encode_with(const Tokenizer::Impl& impl, std::string_view text, const std::string_view* pair,
                   const Tokenizer::EncodeOptions& options, EncodeScratch* scratch, Ids* ids, Ids* type_ids) {
  Encoder encoder(impl, options.match_special, scratch);
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

Status Tokenizer::encode_pair(std::string_view text, std::string_view pair, const EncodeOptions& options, Ids* ids,
                              Ids* type_ids) const noexcept {
  return text::encode_any(*impl_, text, &pair, options, ids, type_ids);
}

}  // namespace linnet
