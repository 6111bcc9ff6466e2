// From the verified FlatBuffer to our own tables. Each function checks one part completely and copies what holds an index.
// Errors name the culprit within the file; ModelFile::open puts the file's name before them.
#pragma once

#include "core/array.h"
#include "format/program.h"

namespace linnet::format {

/// What Model.requirements lists, by the schema's numbers. Whatever a file uses must be listed: a reader that lacks it has then
/// refused the file by that name already.
struct Requirements {
  bool operations[256] = {};
  bool encodings[256] = {};
  bool states[256] = {};
  bool programs[256] = {};
  bool features[256] = {};
  bool adapter = false;
};

Status parse_requirements(const schema::Model& model, bool (*known)(std::string_view), Requirements* requirements) noexcept;
/// corrupt unless the requirement "<kind>:<name>" is listed.
Status expect_listed(bool listed, const char* kind, const char* name) noexcept;

Status parse_tensors(const schema::Model& model, const Requirements& requirements, uint64_t weight_bytes,
                     core::Array<Tensor>* tensors) noexcept;
Status parse_states(const schema::Model& model, const Requirements& requirements, core::Array<State>* states) noexcept;
Status parse_programs(const schema::Model& model, const Requirements& requirements, core::Array<Program>* programs) noexcept;
/// corrupt where a field that must not be skipped is used without its feature being listed.
Status check_features(const Node& node, const Requirements& requirements) noexcept;
/// Numbers that are not finite make no sense in any operation; ranges are each operation's own affair.
Status check_option_numbers(const Node& node) noexcept;
Status check_tokenizer(const schema::Model& model) noexcept;
Status check_generation(const schema::Model& model) noexcept;
/// Whether its numbers are finite.
Status check_similarity(const schema::Model& model) noexcept;
/// Labels, chat templates, metadata: sizes.
Status check_texts(const schema::Model& model) noexcept;

/// A name fit for an error sentence: 1 to kNameBytes bytes without control characters. `what` and `index` say whose it is.
Status check_name(const char* what, size_t index, const flatbuffers::String* name) noexcept;

inline std::string_view text(const flatbuffers::String* string) noexcept {
  return string ? std::string_view(string->c_str(), string->size()) : std::string_view();
}

}  // namespace linnet::format
