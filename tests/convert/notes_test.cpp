#include "convert/notes.h"

#include <doctest/doctest.h>

#include "convert/checkpoint_folder.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

Notes generation_notes(const Json& generation) {
  Notes notes;
  note_generation(Config(generation, "generation_config.json"), &notes);
  return notes;
}

Json words(size_t count) {
  Json tokenizer = {{"model", {{"type", "WordLevel"}, {"unk_token", "w0"}, {"vocab", Json::object()}}}};
  for (size_t i = 0; i < count; ++i) tokenizer["model"]["vocab"]["w" + std::to_string(i)] = i;
  return tokenizer;
}

Notes notes_of(const CheckpointFolder& folder) { return convert::convert(folder.path(), folder.path("out.linnet"), {}).notes; }

}  // namespace

TEST_CASE("sampling that the file has no place for is told by its key") {
  const Json not_kept = {{"min_p", 0.1},          {"typical_p", 0.9},      {"epsilon_cutoff", 1e-4},   {"min_new_tokens", 3},
                         {"stop_strings", {"x"}}, {"token_healing", true}, {"num_return_sequences", 3}};
  for (const auto& [key, value] : not_kept.items()) {
    const Notes notes = generation_notes({{key, value}});
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].rfind("generation_config.json: " + key + " is ", 0) == 0);
  }
}

TEST_CASE("values that change nothing, or that the file keeps, are not told") {
  CHECK(generation_notes({{"min_p", 0.0}, {"typical_p", 1}, {"min_length", 0}, {"stop_strings", nullptr}, {"num_beam_groups", 1}}).empty());
  CHECK(generation_notes({{"token_healing", false}, {"num_return_sequences", 1}}).empty());
  CHECK(generation_notes({{"no_repeat_ngram_size", 3}, {"num_beams", 4}, {"temperature", 0.7}, {"transformers_version", "4.40"}}).empty());
  CHECK(generation_notes(nullptr).empty());
}

TEST_CASE("a report tells what generation_config.json asks for in vain") {
  CheckpointFolder folder("notes-generation");
  folder.write(small_llama());
  folder.write("generation_config.json", {{"do_sample", true}, {"min_p", 0.25}});
  CHECK(notes_of(folder) == Notes{"generation_config.json: min_p is 0.25, which the file has no place for"});
}

TEST_CASE("a tokenizer with more ids than the embedding has rows is told, with both numbers") {
  CheckpointFolder folder("notes-ids");
  folder.write(small_llama());
  folder.write("tokenizer.json", words(40));
  CHECK(notes_of(folder).empty());
  Json tokenizer = words(40);
  tokenizer["added_tokens"] = Json::array({{{"id", 44}, {"content", "<new>"}}});
  for (const Json& larger : {words(45), tokenizer}) {
    folder.write("tokenizer.json", larger);
    const Notes notes = notes_of(folder);
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].find("45 ids") != std::string::npos);
    CHECK(notes[0].find("40 rows") != std::string::npos);
  }
}
