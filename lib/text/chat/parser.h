// From tokens to nodes. The grammar is that of the reference; what it knows and this library does not is refused by name.
#pragma once

#include "text/chat/syntax.h"
#include "text/chat/tokens.h"

namespace linnet::text::chat {

class Parser {
 public:
  Parser(const core::Array<Token>& tokens, Syntax* syntax) noexcept : tokens_(tokens), syntax_(*syntax) {}
  Status parse_template() noexcept;

 private:
  // A node while its children are being read.
  struct Children {
    uint32_t parent, last = 0;
  };
  // Counts one level of nesting as long as it lives.
  class Nested {
   public:
    explicit Nested(Parser* parser) noexcept : depth_(&parser->depth_) { ++*depth_; }
    ~Nested() { --*depth_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;

   private:
    uint32_t* depth_;
  };

  const Token& peek(size_t ahead = 0) const noexcept { return tokens_[at_ + ahead < tokens_.size() ? at_ + ahead : tokens_.size() - 1]; }
  const Token& take() noexcept { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool take_sign(std::string_view sign) noexcept;
  bool take_name(std::string_view name) noexcept;
  Status expect_sign(const char* sign) noexcept;
  Status expect_name(const char* name) noexcept;
  Status expect_block_end() noexcept;
  Status fail_expected(const char* expected) const noexcept;
  Status fail_unsupported(const char* kind, std::string_view name) const noexcept;
  Status check_depth() const noexcept;

  Status add(NodeKind kind, uint32_t* node) noexcept;
  void append(Children* children, uint32_t child) noexcept;
  Status add_absent(Children* children) noexcept;
  Status add_constant(Value value, uint32_t* node) noexcept;
  Status add_string(std::string_view text, uint32_t* node) noexcept;
  Status intern(std::string_view name, uint32_t* index) noexcept;
  Node& node(uint32_t index) noexcept { return syntax_.nodes[index]; }

  // parse_statement.cpp. A sequence ends before the tag that has one of the names in `ends`, separated by spaces.
  Status parse_sequence(const char* opener, const char* ends, uint32_t* result) noexcept;
  Status parse_print(uint32_t* result) noexcept;
  Status parse_block(uint32_t* result) noexcept;
  Status parse_body(const char* opener, const char* end, Children* parent) noexcept;
  Status parse_for(uint32_t* result) noexcept;
  Status parse_if(uint32_t* result) noexcept;
  Status parse_set(uint32_t* result) noexcept;
  Status parse_with(uint32_t* result) noexcept;
  Status parse_filter_block(uint32_t* result) noexcept;
  Status parse_generation(uint32_t* result) noexcept;
  Status parse_control(NodeKind kind, uint32_t* result) noexcept;
  Status parse_target(bool with_attribute, uint32_t* result) noexcept;
  Status parse_one_target(bool with_attribute, uint32_t* result) noexcept;

  // parse_macro.cpp
  Status parse_macro(uint32_t* result) noexcept;
  Status parse_parameters(Children* macro) noexcept;
  Status parse_call_block(uint32_t* result) noexcept;

  // parse_expression.cpp
  Status parse_expression(uint32_t* result) noexcept;
  Status parse_tuple(bool conditional, uint32_t* result) noexcept;
  Status parse_level(int level, uint32_t* result) noexcept;
  Status parse_inverse(uint32_t* result) noexcept;
  bool take_operator(int level, Operator* op) noexcept;
  Status parse_unary(bool with_filters, uint32_t* result) noexcept;
  Status parse_filters(bool with_tests, uint32_t* expression) noexcept;
  Status parse_test(uint32_t* expression) noexcept;

  // parse_primary.cpp
  Status parse_primary(uint32_t* result) noexcept;
  Status parse_name(uint32_t* result) noexcept;
  Status parse_brackets(uint32_t* result) noexcept;
  Status parse_list(uint32_t* result) noexcept;
  Status parse_dict(uint32_t* result) noexcept;
  Status parse_postfix(uint32_t* expression) noexcept;
  Status parse_attribute(uint32_t* expression) noexcept;
  Status parse_item(uint32_t* expression) noexcept;
  Status parse_index(uint32_t* result) noexcept;
  Status parse_call(uint32_t* expression) noexcept;
  Status parse_arguments(Children* call) noexcept;

  // literals.cpp
  Status parse_number(uint32_t* result) noexcept;
  Status parse_string(uint32_t* result) noexcept;
  Status append_literal(const Token& token) noexcept;
  Status append_escape(std::string_view inside, size_t* at, uint32_t line) noexcept;

  const core::Array<Token>& tokens_;
  Syntax& syntax_;
  size_t at_ = 0;
  uint32_t depth_ = 0, loops_ = 0, macros_ = 0;
};

}  // namespace linnet::text::chat
