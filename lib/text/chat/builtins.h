// What templates may call by name: one table for each way of calling.
#pragma once

#include <span>

#include "text/chat/syntax.h"

namespace linnet::text::chat {

struct NamedValue {
  std::string_view name;
  Value value;
};

/// What a builtin was called with. `self` is the filtered or tested value, or the object of a method.
struct Arguments {
  Value self;
  std::span<const Value> values;
  std::span<const NamedValue> named;
  const Value* bound[6] = {};  // by the place of the parameter; null: not given
  std::string_view name;       // of the builtin, for messages
};

/// Null where there is none.
const Builtin* find_filter(std::string_view name) noexcept;
const Builtin* find_test(std::string_view name) noexcept;
const Builtin* find_function(std::string_view name) noexcept;
/// `known`: the reference's type has such a method, though this library may not.
const Builtin* find_string_method(std::string_view name, bool* known) noexcept;
const Builtin* find_dict_method(std::string_view name, bool* known) noexcept;
const Builtin* find_list_method(std::string_view name, bool* known) noexcept;
const Builtin* find_loop_method(std::string_view name, bool* known) noexcept;

template <size_t count>
const Builtin* find_builtin(const Builtin (&table)[count], std::string_view name) noexcept {
  for (const Builtin& builtin : table)
    if (builtin.name == name) return &builtin;
  return nullptr;
}

// The tables' parts, each in the file of its name.
std::span<const Builtin> text_filters() noexcept;
std::span<const Builtin> list_filters() noexcept;
std::span<const Builtin> order_filters() noexcept;
std::span<const Builtin> select_filters() noexcept;
std::span<const Builtin> value_filters() noexcept;
std::span<const Builtin> search_methods() noexcept;

}  // namespace linnet::text::chat
