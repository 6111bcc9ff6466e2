#include "text/pipeline.h"

namespace linnet::text {
namespace {

std::string_view text_of(const flatbuffers::String* string) {
  return string ? std::string_view(string->c_str(), string->size()) : std::string_view();
}

}  // namespace

StageFields read_fields(const schema::Stage& table) noexcept {
  StageFields fields;
  fields.text = text_of(table.text());
  fields.second = text_of(table.second());
  if (table.bytes()) fields.bytes = {table.bytes()->data(), table.bytes()->size()};
  fields.number = table.number();
  fields.flags = table.flags();
  return fields;
}

Status read_pattern(StageFields* fields) noexcept {
  if (fields->text.empty()) return Status::error(Code::corrupt, "a stage of the tokenizer has an empty pattern");
  if ((fields->flags & kScanner) != 0) return Pattern::scanner(fields->text, &fields->pattern);
  fields->pattern = Pattern::literal(fields->text);
  return {};
}

}  // namespace linnet::text
