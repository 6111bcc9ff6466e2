#include "text/added_tokens.h"

#include <algorithm>

#include "core/limits.h"
#include "text/unicode.h"

namespace linnet::text {
namespace {

std::string_view content_of(const schema::AddedToken& token) { return {token.content()->c_str(), token.content()->size()}; }

bool touches_word(std::string_view text, Span span) {
  if (span.begin > 0 && (classes(decode(text, previous(text, span.begin)).code) & kWord) != 0) return true;
  return span.end < text.size() && (classes(decode(text, span.end).code) & kWord) != 0;
}

void swallow_spaces(std::string_view text, size_t floor, const schema::AddedToken& token, Span* span) {
  while (token.lstrip() && span->begin > floor) {
    const size_t before = previous(text, span->begin);
    if (before < floor || (classes(decode(text, before).code) & kSpace) == 0) break;
    span->begin = static_cast<uint32_t>(before);
  }
  while (token.rstrip() && span->end < text.size()) {
    const Point point = decode(text, span->end);
    if ((classes(point.code) & kSpace) == 0) break;
    span->end += point.length;
  }
}

// Whether no data lies in a span.
bool is_free(Span span, std::span<const TextSpan> spans) {
  auto at =
      std::upper_bound(spans.begin(), spans.end(), size_t{span.begin}, [](size_t begin, const TextSpan& part) { return begin < part.end; });
  for (; at != spans.end() && at->begin < span.end; ++at)
    if (at->data) return false;
  return true;
}

// Whether all of a span is data.
bool is_data(Span span, std::span<const TextSpan> spans) {
  auto at =
      std::upper_bound(spans.begin(), spans.end(), size_t{span.begin}, [](size_t begin, const TextSpan& part) { return begin < part.end; });
  for (; at != spans.end() && at->begin < span.end; ++at)
    if (!at->data) return false;
  return true;
}

}  // namespace

Status AddedTokens::create(const schema::Tokenizer& table, const Normalizer& normalizer) noexcept {
  const auto* added = table.added();
  Stretch stretch;
  core::Array<Span> spans;
  for (uint32_t i = 0; added && i < added->size(); ++i) {
    const schema::AddedToken& token = *added->Get(i);
    LINNET_TRY(by_id_.push(&token));
    Span span{0, 0};
    if (token.normalized()) {
      span.begin = static_cast<uint32_t>(contents_.size());
      LINNET_TRY(normalize_content(normalizer, token, &stretch));
      span.end = static_cast<uint32_t>(contents_.size());
    }
    LINNET_TRY(spans.push(span));
  }
  for (size_t i = 0; i < by_id_.size(); ++i) {
    const schema::AddedToken& token = *by_id_[i];
    const std::string_view content =
        token.normalized() ? contents_.view().substr(spans[i].begin, spans[i].end - spans[i].begin) : content_of(token);
    const auto order = static_cast<uint32_t>(i);
    if (!content.empty()) LINNET_TRY(sets_[token.normalized() ? kNormalized : kRaw].entries.push({content, &token, order}));
    const bool raw = !token.normalized() || token.special();
    if (raw && !content_of(token).empty()) LINNET_TRY(sets_[kChat].entries.push({content_of(token), &token, order}));
  }
  for (Set& set : sets_) {
    // Of tokens with the same text the one that the file names first counts.
    std::sort(set.entries.begin(), set.entries.end(),
              [](const Entry& a, const Entry& b) { return a.content != b.content ? a.content < b.content : a.order < b.order; });
    for (const Entry& entry : set.entries) ++set.starts[static_cast<uint8_t>(entry.content[0]) + 1];
    for (int byte = 0; byte < 256; ++byte) set.starts[byte + 1] += set.starts[byte];
  }
  std::sort(by_id_.begin(), by_id_.end(), [](const auto* a, const auto* b) { return a->id() != b->id() ? a->id() < b->id() : a < b; });
  return {};
}

Status AddedTokens::normalize_content(const Normalizer& normalizer, const schema::AddedToken& token, Stretch* stretch) noexcept {
  stretch->start(content_of(token), false, size_t{core::limits::kTokenBytes} * 64);
  LINNET_TRY(normalizer.rewrite(stretch));
  contents_.set_limit(core::limits::kMetadataBytes);
  return contents_.append(stretch->text());
}

const schema::AddedToken* AddedTokens::find(int32_t id) const noexcept {
  const auto* found = std::lower_bound(by_id_.begin(), by_id_.end(), id,
                                       [](const auto* token, int32_t i) { return static_cast<int32_t>(token->id()) < i; });
  return found != by_id_.end() && static_cast<int32_t>((*found)->id()) == id ? *found : nullptr;
}

int32_t AddedTokens::id(std::string_view content) const noexcept {
  for (const schema::AddedToken* token : by_id_)
    if (content_of(*token) == content) return static_cast<int32_t>(token->id());
  return -1;
}

AddedTokens::Found AddedTokens::longest(const Set& set, std::string_view text, size_t at, const Places& places) noexcept {
  const auto byte = static_cast<uint8_t>(text[at]);
  const Entry *begin = set.entries.begin() + set.starts[byte], *end = set.entries.begin() + set.starts[byte + 1];
  Found found;
  // Each round keeps the entries that go on with the text's next byte; the shortest of them stands first.
  for (size_t depth = 1; begin != end; ++depth) {
    if (begin->content.size() == depth) {
      const Span span{static_cast<uint32_t>(at), static_cast<uint32_t>(at + depth)};
      const bool counts = !begin->token->special() || places.everywhere || (places.spans && is_free(span, *places.spans));
      found.any = begin;
      // Without spans, a special token hides the shorter ones that it begins with, as the reference has it.
      if (counts || !places.spans) found.counts = counts ? begin : nullptr;
      while (begin != end && begin->content.size() == depth) ++begin;
    }
    if (at + depth >= text.size()) break;
    const auto next = static_cast<uint8_t>(text[at + depth]);
    begin =
        std::lower_bound(begin, end, next, [&](const Entry& entry, uint8_t b) { return static_cast<uint8_t>(entry.content[depth]) < b; });
    end = std::upper_bound(begin, end, next, [&](uint8_t b, const Entry& entry) { return b < static_cast<uint8_t>(entry.content[depth]); });
  }
  return found;
}

AddedTokens::Match AddedTokens::next(std::string_view text, size_t from, size_t floor, SetKind kind, const Places& places) const noexcept {
  const Set& set = sets_[kind];
  for (size_t at = from; at < text.size(); ++at) {
    const auto byte = static_cast<uint8_t>(text[at]);
    if (set.starts[byte] == set.starts[byte + 1]) continue;
    const Found found = longest(set, text, at, places);
    if (!found.any) continue;
    const Entry* entry = found.counts ? found.counts : found.any;
    Span span{static_cast<uint32_t>(at), static_cast<uint32_t>(at + entry->content.size())};
    if (!found.counts || (entry->token->single_word() && touches_word(text, span))) {
      // What was passed over is not looked into again; but what reaches over a border must not hide a token behind it.
      if (found.counts || !places.spans || is_data(span, *places.spans)) at = span.end - 1;
      continue;
    }
    const uint32_t resume = span.end;
    swallow_spaces(text, floor, *entry->token, &span);
    return {span, resume, entry->token};
  }
  return {};
}

}  // namespace linnet::text
