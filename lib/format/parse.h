// From the verified FlatBuffer to our own tables. Each function checks one part completely and copies what holds an index.
// Errors name the culprit within the file; ModelFile::open puts the file's name before them.
#pragma once

#include "core/array.h"
#include "format/program.h"

namespace linnet::format {

/// Whether Model.requirements lists "<kind>:<name>".
bool listed(const schema::Model& model, const char* kind, const char* name) noexcept;
/// corrupt unless it does.
Status expect_listed(const schema::Model& model, const char* kind, const char* name) noexcept;

Status parse_tensors(const schema::Model& model, uint64_t weight_bytes, core::Array<Tensor>* tensors) noexcept;
Status parse_states(const schema::Model& model, core::Array<State>* states) noexcept;
Status parse_programs(const schema::Model& model, core::Array<Program>* programs) noexcept;
Status check_tokenizer(const schema::Model& model) noexcept;
Status check_generation(const schema::Model& model) noexcept;

inline std::string_view text(const flatbuffers::String* string) noexcept {
  return string ? std::string_view(string->c_str(), string->size()) : std::string_view();
}

}  // namespace linnet::format
