#include "core/limits.h"
#include "format/parse.h"

namespace linnet::format {
namespace {

template <class Enum>
void mark(std::string_view name, Enum last, const char* (*name_of)(Enum), bool* marks) {
  for (size_t i = 0; i <= static_cast<size_t>(last); ++i)
    if (name == name_of(static_cast<Enum>(i))) marks[i] = true;
}

void mark_requirement(std::string_view requirement, Requirements* marks) {
  const size_t colon = requirement.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view kind(requirement.data(), colon), name(requirement.data() + colon + 1, requirement.size() - colon - 1);
  if (kind == "operation") mark(name, schema::Options::MAX, schema::EnumNameOptions, marks->operations);
  if (kind == "encoding") mark(name, schema::Encoding::MAX, schema::EnumNameEncoding, marks->encodings);
  if (kind == "state") mark(name, schema::StateKind::MAX, schema::EnumNameStateKind, marks->states);
  if (kind == "program") mark(name, schema::ProgramKind::MAX, schema::EnumNameProgramKind, marks->programs);
  if (kind == "feature") mark(name, schema::Feature::MAX, schema::EnumNameFeature, marks->features);
  if (requirement == "file:adapter") marks->adapter = true;
}

}  // namespace

Status check_name(const char* what, size_t index, const flatbuffers::String* name) noexcept {
  const std::string_view letters = text(name);
  if (letters.empty()) return Status::error(Code::corrupt, "%s %zu has no name", what, index);
  if (letters.size() > core::limits::kNameBytes)
    return Status::error(Code::corrupt, "%s %zu has a name of %zu bytes, expected at most %u", what, index, letters.size(),
                         core::limits::kNameBytes);
  for (const char letter : letters)
    if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f)
      return Status::error(Code::corrupt, "%s %zu has a control character in its name", what, index);
  return {};
}

Status parse_requirements(const schema::Model& model, bool (*known)(std::string_view), Requirements* requirements) noexcept {
  const auto& names = *model.requirements();
  if (names.size() > core::limits::kRequirements)
    return Status::error(Code::corrupt, "%u requirements, expected at most %u", names.size(), core::limits::kRequirements);
  for (uint32_t i = 0; i < names.size(); ++i) {
    LINNET_TRY(check_name("requirement", i, names.Get(i)));
    const bool adapter = text(names.Get(i)) == "file:adapter";
    if (!known(text(names.Get(i))))
      return adapter ? Status::error(Code::unsupported, "it is an adapter, expected a model; give it beside its base")
                     : Status::error(Code::unsupported, "the model needs \"%s\", which this build does not have", names.Get(i)->c_str());
    mark_requirement(text(names.Get(i)), requirements);
  }
  return model.adapter() ? expect_listed(requirements->adapter, "file", "adapter") : Status();
}

Status expect_listed(bool listed, const char* kind, const char* name) noexcept {
  if (listed) return {};
  return Status::error(Code::corrupt, "\"%s:%s\" is used but not listed among the requirements", kind, name);
}

Status check_features(const Node& node, const Requirements& requirements) noexcept {
  if (node.type != schema::Options::Attention) return {};
  using schema::Feature;
  const auto& options = node.as<schema::Attention>();
  const auto expect = [&](bool used, Feature feature) {
    return used ? expect_listed(requirements.features[static_cast<size_t>(feature)], "feature", schema::EnumNameFeature(feature))
                : Status();
  };
  LINNET_TRY(expect(options.global_tokens(), Feature::global_tokens));
  return expect(options.relative_keys_tensor() >= 0 || options.relative_queries_tensor() >= 0, Feature::relative_scores);
}

}  // namespace linnet::format
