// A context-free grammar over characters as expressions, the common form of grammar texts and JSON schemas. Building never fails on the
// spot: what goes wrong first is kept in status(), and everything after it is of no effect.
#pragma once

#include <span>
#include <string_view>

#include "core/array.h"

namespace linnet::constrain {

enum class ExpressionKind : uint8_t { empty, never, literal, set, sequence, choice, repeat, rule };

/// Index of an expression. The two that are always there:
using Expr = uint32_t;
constexpr Expr kEmpty = 0;  // no characters
constexpr Expr kNever = 1;  // nothing at all, not even no characters

constexpr uint32_t kUnbounded = UINT32_MAX;

struct Expression {
  ExpressionKind kind;
  uint16_t nesting;      // of expressions below it, rules not counted
  uint32_t first, size;  // literal: bytes; set: ranges; sequence, choice: children; repeat: first is the child; rule: first is the rule
  uint32_t min, max;     // repeat
};

struct CharacterRange {
  char32_t first, last;
};

struct Rule {
  uint32_t name_begin, name_size;
  Expr body = UINT32_MAX;  // not defined yet
};

class Grammar {
 public:
  Grammar() noexcept;

  const Status& status() const noexcept { return status_; }
  bool failed() const noexcept { return !status_.ok(); }
  /// The first failure is kept.
  void fail(Status status) noexcept;
  void check(Status status) noexcept {
    if (!status.ok()) fail(std::move(status));
  }

  Expr literal(std::string_view bytes) noexcept;
  /// Characters in any of the ranges, or in none of them. Surrogates are no characters.
  Expr set(std::span<const CharacterRange> ranges, bool inverted = false) noexcept;
  Expr sequence(std::span<const Expr> children) noexcept;
  Expr sequence(std::initializer_list<Expr> children) noexcept { return sequence(std::span(children.begin(), children.size())); }
  Expr choice(std::span<const Expr> children) noexcept;
  Expr choice(std::initializer_list<Expr> children) noexcept { return choice(std::span(children.begin(), children.size())); }
  Expr repeat(Expr child, uint32_t min, uint32_t max) noexcept;
  Expr optional(Expr child) noexcept { return repeat(child, 0, 1); }
  Expr reference(uint32_t rule) noexcept;

  /// A rule to be defined later.
  uint32_t add_rule(std::string_view name) noexcept;
  void define(uint32_t rule, Expr body) noexcept;
  /// A rule of this body, referred to.
  Expr named(std::string_view name, Expr body) noexcept;
  /// kUnbounded when there is none. Walks over all of them.
  void set_root(uint32_t rule) noexcept { root_ = rule; }
  uint32_t root() const noexcept { return root_; }

  size_t rules() const noexcept { return rules_.size(); }
  const Rule& rule(uint32_t index) const noexcept { return rules_[index]; }
  std::string_view name(uint32_t rule) const noexcept { return {names_.data() + rules_[rule].name_begin, rules_[rule].name_size}; }
  const Expression& at(Expr expr) const noexcept { return expressions_[expr]; }
  std::string_view text(const Expression& literal) const noexcept { return {bytes_.data() + literal.first, literal.size}; }
  std::span<const CharacterRange> ranges(const Expression& set) const noexcept { return {ranges_.data() + set.first, set.size}; }
  std::span<const Expr> children(const Expression& node) const noexcept { return {children_.data() + node.first, node.size}; }

 private:
  Expr add(const Expression& expression) noexcept;
  Expr list(ExpressionKind kind, std::span<const Expr> children) noexcept;

  Status status_;
  core::Array<Expression> expressions_;
  core::Array<char> bytes_, names_;
  core::Array<CharacterRange> ranges_;
  core::Array<Expr> children_;
  core::Array<Rule> rules_;
  uint32_t root_ = 0;
};

}  // namespace linnet::constrain
