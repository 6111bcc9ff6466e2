#include "generate/constrain/grammar.h"

#include <algorithm>

#include "core/limits.h"

namespace linnet::constrain {
namespace {

constexpr char32_t kLastCharacter = 0x10FFFF, kSurrogates = 0xD800, kBehindSurrogates = 0xE000;

template <class T>
Status append(core::Array<T>* all, std::span<const T> more, size_t limit, const char* what) {
  if (all->size() + more.size() > limit) return Status::error(Code::invalid_argument, "the grammar has more than %zu %s", limit, what);
  for (const T& item : more) LINNET_TRY(all->push(item));
  return {};
}

// Sorted, without overlaps.
Status merge(core::Array<CharacterRange>* ranges) {
  std::sort(ranges->begin(), ranges->end(), [](const CharacterRange& a, const CharacterRange& b) { return a.first < b.first; });
  core::Array<CharacterRange> merged;
  for (const CharacterRange& range : *ranges) {
    if (range.first > range.last) continue;
    if (!merged.empty() && range.first <= merged.back().last + 1)
      merged.back().last = std::max(merged.back().last, range.last);
    else
      LINNET_TRY(merged.push(range));
  }
  ranges->swap(merged);
  return {};
}

Status invert(core::Array<CharacterRange>* ranges) {
  core::Array<CharacterRange> inverted;
  char32_t next = 0;
  for (const CharacterRange& range : *ranges) {
    if (range.first > next) LINNET_TRY(inverted.push({next, range.first - 1}));
    next = range.last + 1;
  }
  if (next <= kLastCharacter) LINNET_TRY(inverted.push({next, kLastCharacter}));
  ranges->swap(inverted);
  return {};
}

Status drop_surrogates(core::Array<CharacterRange>* ranges) {
  core::Array<CharacterRange> kept;
  for (const CharacterRange& range : *ranges) {
    const CharacterRange below = {range.first, std::min<char32_t>(range.last, kSurrogates - 1)};
    const CharacterRange above = {std::max(range.first, kBehindSurrogates), std::min(range.last, kLastCharacter)};
    if (below.first <= below.last) LINNET_TRY(kept.push(below));
    if (above.first <= above.last) LINNET_TRY(kept.push(above));
  }
  ranges->swap(kept);
  return {};
}

}  // namespace

Grammar::Grammar() noexcept {
  check(expressions_.push({ExpressionKind::empty, 0, 0, 0, 0, 0}));
  check(expressions_.push({ExpressionKind::never, 0, 0, 0, 0, 0}));
}

void Grammar::fail(Status status) noexcept {
  if (status_.ok()) status_ = std::move(status);
}

Expr Grammar::add(const Expression& expression) noexcept {
  if (failed()) return kEmpty;
  if (expression.nesting > core::limits::kGrammarNesting)
    fail(Status::error(Code::invalid_argument, "the grammar nests more than %u expressions", core::limits::kGrammarNesting));
  check(append(&expressions_, std::span(&expression, 1), core::limits::kGrammarParts, "expressions"));
  return failed() ? kEmpty : static_cast<Expr>(expressions_.size() - 1);
}

Expr Grammar::literal(std::string_view bytes) noexcept {
  if (bytes.empty()) return kEmpty;
  const auto begin = static_cast<uint32_t>(bytes_.size());
  check(append(&bytes_, std::span(bytes.data(), bytes.size()), core::limits::kGrammarBytes, "bytes in literals"));
  return add({ExpressionKind::literal, 0, begin, static_cast<uint32_t>(bytes.size()), 0, 0});
}

Expr Grammar::set(std::span<const CharacterRange> ranges, bool inverted) noexcept {
  core::Array<CharacterRange> own;
  for (const CharacterRange& range : ranges) check(own.push(range));
  check(merge(&own));
  if (inverted) check(invert(&own));
  check(drop_surrogates(&own));
  if (failed()) return kEmpty;
  if (own.empty()) return kNever;
  const auto begin = static_cast<uint32_t>(ranges_.size());
  check(append(&ranges_, std::span<const CharacterRange>(own.data(), own.size()), core::limits::kGrammarParts, "ranges of characters"));
  return add({ExpressionKind::set, 0, begin, static_cast<uint32_t>(own.size()), 0, 0});
}

Expr Grammar::list(ExpressionKind kind, std::span<const Expr> children) noexcept {
  if (failed()) return kEmpty;
  if (children.size() == 1) return children[0];
  const auto begin = static_cast<uint32_t>(children_.size());
  uint16_t nesting = 0;
  for (Expr child : children) nesting = std::max(nesting, at(child).nesting);
  check(append(&children_, children, core::limits::kGrammarParts, "parts"));
  return add({kind, static_cast<uint16_t>(nesting + 1), begin, static_cast<uint32_t>(children.size()), 0, 0});
}

Expr Grammar::sequence(std::span<const Expr> children) noexcept {
  if (children.empty()) return kEmpty;
  return list(ExpressionKind::sequence, children);
}

Expr Grammar::choice(std::span<const Expr> children) noexcept {
  if (children.empty()) return kNever;
  return list(ExpressionKind::choice, children);
}

Expr Grammar::repeat(Expr child, uint32_t min, uint32_t max) noexcept {
  if (failed() || max == 0) return kEmpty;
  if (min == 1 && max == 1) return child;
  if (min > max || min > core::limits::kGrammarRepeat || (max != kUnbounded && max > core::limits::kGrammarRepeat)) {
    fail(Status::error(Code::invalid_argument, "a repetition of %u to %u times, expected a range within 0 to %u", min, max,
                       core::limits::kGrammarRepeat));
    return kEmpty;
  }
  return add({ExpressionKind::repeat, static_cast<uint16_t>(at(child).nesting + 1), child, 0, min, max});
}

Expr Grammar::reference(uint32_t rule) noexcept { return add({ExpressionKind::rule, 0, rule, 0, 0, 0}); }

uint32_t Grammar::add_rule(std::string_view name) noexcept {
  Rule rule{static_cast<uint32_t>(names_.size()), static_cast<uint32_t>(name.size()), UINT32_MAX};
  check(append(&names_, std::span(name.data(), name.size()), core::limits::kGrammarBytes, "bytes in names"));
  check(append(&rules_, std::span<const Rule>(&rule, 1), core::limits::kGrammarRules, "rules"));
  return failed() ? 0 : static_cast<uint32_t>(rules_.size() - 1);
}

void Grammar::define(uint32_t rule, Expr body) noexcept {
  if (!failed()) rules_[rule].body = body;
}

Expr Grammar::named(std::string_view name, Expr body) noexcept {
  const uint32_t rule = add_rule(name);
  define(rule, body);
  return reference(rule);
}

}  // namespace linnet::constrain
