// Runs a template over its variables: walks the nodes, within limits of time, depth and memory. Its parts are in files by purpose:
// evaluate.cpp (expressions), execute.cpp (statements), call.cpp, access.cpp, operate.cpp, compare.cpp, print.cpp, values.cpp. Builtins
// call back what is public here.
#pragma once

#include "core/json.h"
#include "linnet/chat.h"
#include "text/chat/arena.h"
#include "text/chat/builtins.h"
#include "text/chat/sink.h"
#include "text/chat/syntax.h"

namespace linnet::text::chat {

class Evaluator {
 public:
  /// `time` null: the system's clock.
  Evaluator(const Syntax& syntax, const DateTime* time) noexcept;
  /// Gives a variable its value where the template names it.
  Status define(std::string_view name, Value value) noexcept;
  Status run() noexcept;

  Arena& arena() noexcept { return arena_; }
  Sink& sink() noexcept { return sink_; }
  const DateTime* time() const noexcept { return time_; }

  /// One sentence with the line at hand.
  [[gnu::format(printf, 2, 3)]] Status fail(const char* format, ...) noexcept;
  Status spend(size_t steps) noexcept {
    if (steps <= steps_) return steps_ -= steps, Status();
    return fail_steps();
  }
  Status spend_bytes(size_t bytes) noexcept { return spend(1 + bytes / 16); }
  Status enter() noexcept;
  void leave() noexcept { --depth_; }

  // values.cpp
  Status new_string(const String& string, Value* result) noexcept;
  /// Takes what was appended to the sink from `begin` on.
  Status take_string(size_t begin, Value* result) noexcept;
  Status new_list(ListKind kind, size_t size, bool data, Value* result) noexcept;
  Status new_dict(size_t capacity, bool data, Kind kind, Value* result) noexcept;
  Status from_json(const core::JsonValue& json, Value* result) noexcept;
  Status undefined(std::string_view name, const char* owner, Value* result) noexcept;
  Status fail_undefined(const Value& value) noexcept;
  /// Null when there is no such key.
  Status find(const Dict& dict, const Value& key, Value** found) noexcept;
  Status insert(Dict* dict, const Value& key, const Value& value) noexcept;
  /// What a for would go through.
  Status items_of(const Value& value, Items* items) noexcept;
  Status concat(const String& first, const String& second, Value* result) noexcept;
  /// The first place of `what` at or after `from`; npos when there is none.
  Status search(std::string_view text, std::string_view what, size_t from, size_t* found) noexcept;

  // print.cpp
  /// Appends a value as {{ }} prints it, or as it stands within a printed list.
  Status print(const Value& value) noexcept;
  Status print_inside(const Value& value) noexcept;
  /// The printed form.
  Status text_of(const Value& value, const String** text) noexcept;

  // compare.cpp
  static bool truth(const Value& value) noexcept;
  Status equal(const Value& a, const Value& b, bool* result) noexcept;
  Status same_text(std::string_view a, std::string_view b, bool* result) noexcept;
  Status less(const Value& a, const Value& b, bool* result) noexcept;
  Status contains(const Value& container, const Value& item, bool* result) noexcept;
  Status compare(Operator op, const Value& a, const Value& b, bool* result) noexcept;

  // operate.cpp
  Status operate(Operator op, const Value& a, const Value& b, Value* result) noexcept;

  // access.cpp
  Status attribute(const Value& object, std::string_view name, Value* result) noexcept;
  Status item(const Value& object, const Value& index, Value* result) noexcept;
  Status slice(const Value& object, const Value (&bounds)[3], Value* result) noexcept;

  // call.cpp
  Status call(const Value& callee, std::span<const Value> values, std::span<const NamedValue> named, Value* result) noexcept;
  Status call_builtin(const Builtin& builtin, const Value& self, std::span<const Value> values, std::span<const NamedValue> named,
                      Value* result) noexcept;
  /// An argument that must be of one kind; `fallback` where it was not given.
  Status string_argument(const Arguments& arguments, size_t place, std::string_view fallback, String* result) noexcept;
  Status integer_argument(const Arguments& arguments, size_t place, int64_t fallback, int64_t* result) noexcept;

 private:
  enum class Flow : uint8_t { on, leave, skip };

  Status fail_steps() noexcept;
  Status equal_lists(const List& a, const List& b, bool* result) noexcept;
  Status equal_dicts(const Dict& a, const Dict& b, bool* result) noexcept;
  Status less_lists(const List& a, const List& b, bool* result) noexcept;
  Status operate_numbers(Operator op, const Value& a, const Value& b, Value* result) noexcept;
  Status repeat(const Value& value, int64_t times, Value* result) noexcept;
  Status method_of(const Value& object, std::string_view name, bool* known, Value* result) noexcept;
  Status slice_string(const String& string, int64_t start, int64_t step, size_t count, Value* result) noexcept;
  Status slice_range(const Range& range, int64_t start, int64_t stop, int64_t step, size_t count, Value* result) noexcept;
  Status print_range(const Range& range) noexcept;
  Status print_list(const Value& value) noexcept;
  Status print_dict(const Value& value) noexcept;
  const Node& node(uint32_t index) const noexcept { return syntax_.nodes[index]; }
  uint32_t name_of(std::string_view name) const noexcept;

  Status evaluate(uint32_t index, Value* result) noexcept;
  Status evaluate_within(const Node& expression, Value* result) noexcept;
  Status evaluate_name(const Node& expression, Value* result) noexcept;
  Status evaluate_list(const Node& expression, ListKind kind, Value* result) noexcept;
  Status evaluate_dict(const Node& expression, Value* result) noexcept;
  Status evaluate_item(const Node& expression, Value* result) noexcept;
  Status evaluate_sign(const Node& expression, Value* result) noexcept;
  Status evaluate_arithmetic(const Node& expression, Value* result) noexcept;
  Status evaluate_join(const Node& expression, Value* result) noexcept;
  Status evaluate_compare(const Node& expression, Value* result) noexcept;
  Status evaluate_logic(const Node& expression, bool ends_on, Value* result) noexcept;
  Status evaluate_conditional(const Node& expression, Value* result) noexcept;
  Status evaluate_builtin(const Node& expression, Value* result) noexcept;
  Status evaluate_call(const Node& expression, Value* result) noexcept;
  Status evaluate_arguments(uint32_t first, std::span<const Value>* values, std::span<const NamedValue>* named) noexcept;

  Status execute(uint32_t index, Flow* flow) noexcept;
  Status execute_within(const Node& statement, Flow* flow) noexcept;
  Status execute_sequence(const Node& statement, Flow* flow) noexcept;
  Status execute_branch(const Node& statement, Flow* flow) noexcept;
  Status execute_loop(uint32_t index, Flow* flow) noexcept;
  Status select_items(const Node& statement, Items* items) noexcept;
  Status run_loop(uint32_t index, Items items, Scope* outer, uint32_t depth, Flow* flow) noexcept;
  Status execute_capture(const Node& statement) noexcept;
  Status execute_filtered(const Node& statement) noexcept;
  Status capture(uint32_t body, uint32_t filters, Value* result) noexcept;
  Status execute_with(const Node& statement, Flow* flow) noexcept;
  Status execute_scoped(uint32_t body, Flow* flow) noexcept;
  Status execute_call_block(const Node& statement) noexcept;
  Status make_macro(uint32_t index, Value* result) noexcept;
  Status call_macro(const Macro& macro, std::span<const Value> values, std::span<const NamedValue> named, Value* result) noexcept;
  Status call_loop(const Loop& loop, std::span<const Value> values, Value* result) noexcept;
  Status loop_attribute(const Value& loop, std::string_view name, Value* result) noexcept;
  Status assign(uint32_t target, const Value& value) noexcept;
  Status set(Scope* scope, uint32_t name, const Value& value) noexcept;
  Status new_scope(Scope* parent, Scope** scope) noexcept;

  const Syntax& syntax_;
  const DateTime* time_;
  Arena arena_;
  Sink sink_;
  Scope root_;
  Scope* scope_ = &root_;
  const Value* piped_ = nullptr;  // what a filter without a value before it is applied to
  size_t steps_;
  uint32_t depth_ = 0, line_ = 1, loop_name_, caller_name_;
};

}  // namespace linnet::text::chat
