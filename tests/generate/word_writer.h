// What the tests of Generator share.
#pragma once

#include <doctest/doctest.h>

#include "linnet/generate.h"
#include "runtime/small_models.h"
#include "tasks/word_tokenizer.h"

namespace linnet::tests {

using End = GenerateReport::End;
using List = std::vector<int32_t>;

/// Its tokenizer writes words without spaces: id 5 is "w5".
inline const Model& decoder() {
  static const Model model = [] {
    convert::CheckpointFolder folder("generator");
    folder.write(decoder_checkpoint());
    convert::Json tokenizer = word_tokenizer(131);
    tokenizer["decoder"] = {{"type", "Fuse"}};
    folder.write("tokenizer.json", tokenizer);
    convert::convert(folder.path(), folder.path("out.linnet"), {});
    return must(Model::open(folder.path("out.linnet").c_str()));
  }();
  return model;
}

inline List list(std::span<const int32_t> ids) { return {ids.begin(), ids.end()}; }

inline Generator generator(Session& session, const GenerateOptions& options) {
  return must(Generator::create(session, decoder(), options));
}

/// The new ids of a prompt that is alone in a session of its own.
inline List alone(const List& prompt, const GenerateOptions& options, uint32_t number = 0) {
  Session session = opened(decoder(), {.context = 256});
  Generator writer = generator(session, options);
  // Texts in front of it leave it its number, and so its stream of the seed.
  for (uint32_t i = 0; i < number; ++i) must(writer.add({.prompt = List{1}}));
  must(writer.add({.prompt = prompt}));
  must(writer.run());
  return list(writer.ids(number));
}

inline const GenerateOptions kDrawn = {
    .max_tokens = 14,
    .sampling = {.temperature = 2, .top_k = 60, .top_p = 0.97f, .repetition_penalty = 1.1f, .frequency_penalty = 0.2f, .seed = 5}};

inline std::vector<List> prompts() {
  return {{17, 4, 99, 61, 8}, tokens(40, 131, 2), {3}, tokens(9, 131, 3), tokens(70, 131, 4), {17, 4, 99, 61, 8}};
}

}  // namespace linnet::tests
