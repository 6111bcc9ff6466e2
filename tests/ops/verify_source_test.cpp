// What a session counts on where one program fills source state and others read it, told by whole models.
#include <doctest/doctest.h>

#include "format/open_model.h"
#include "format/tiny_models.h"

using namespace linnet;
using namespace linnet::tests;
using schema::Options;
using Builder = FlatBufferBuilder;

namespace {

/// Reads ids of a source into one state of two heads of 6; decodes by attention to it alone.
TinyModel tiny_translator() {
  TinyModel model;
  model.task = schema::Task::text_to_text;
  model.requirements = {"encoding:f32",    "program:encode",   "program:decode",     "state:source",
                        "operation:Embed", "operation:Append", "operation:Attention"};
  model.add({.name = "embedding", .rows = kTinyVocabulary, .columns = kTinyHidden}, f32_bytes(kTinyVocabulary * kTinyHidden));
  model.states = {{.name = "source", .kind = schema::StateKind::source, .heads = 2, .key_width = 6, .value_width = 6}};
  TinyProgram encode{.name = "encode", .kind = schema::ProgramKind::encode};
  encode.values = {{"ids", index_value(kTinyVocabulary, schema::Symbol::source_tokens)},
                   {"embedded", f32_value(kTinyHidden, schema::Symbol::source_tokens)}};
  encode.inputs = {{schema::Role::source_ids, "input_ids", 0}};
  encode.outputs = {{schema::Role::hidden, "encoder_last_hidden_state", 1}};
  encode.operations = {
      tiny_operation<schema::Embed>(Options::Embed, {0}, {1}, [](Builder& b) { return schema::CreateEmbed(b, 0); }),
      tiny_operation<schema::Append>(Options::Append, {1, 1}, {}, [](Builder& b) { return schema::CreateAppend(b, 0); }),
  };
  TinyProgram decode{.name = "decode", .kind = schema::ProgramKind::decode};
  decode.values = {{"ids", index_value(kTinyVocabulary)}, {"embedded", f32_value(kTinyHidden)}, {"seen", f32_value(kTinyHidden)}};
  decode.inputs = {{schema::Role::token_ids, "input_ids", 0}};
  decode.outputs = {{schema::Role::hidden, "last_hidden_state", 2}};
  decode.operations = {
      tiny_operation<schema::Embed>(Options::Embed, {0}, {1}, [](Builder& b) { return schema::CreateEmbed(b, 0); }),
      tiny_operation<schema::Attention>(
          Options::Attention, {1}, {2},
          [](Builder& b) { return schema::CreateAttention(b, 0, schema::Reader::bidirectional, 2, 2, 6, 6, 0.4f); }),
  };
  model.programs = {encode, decode};
  return model;
}

template <class Change>
std::string refusal(Change change) {
  TinyModel model = tiny_translator();
  change(model);
  const AlignedBytes bytes(model.file());
  const Result<Model> opened = Model::open(bytes.data(), bytes.size());
  if (opened.ok()) return "";
  CHECK(opened.status().code() == Code::corrupt);
  return opened.status().message();
}

bool says(const std::string& text, const char* words) { return text.find(words) != std::string::npos; }

}  // namespace

TEST_CASE("an encode program that fills the source and a decode program that reads it open") {
  CHECK(refusal([](TinyModel&) {}) == "");
}

TEST_CASE("source states are filled by one encode program, all of them, and read by decode programs alone") {
  CHECK(says(refusal([](TinyModel& m) {
               m.programs.pop_back(), m.programs.erase(m.programs.begin()), m.programs.push_back(tiny_translator().programs[1]);
             }),
             "0 programs of kind encode"));
  CHECK(says(refusal([](TinyModel& m) {
               m.states.push_back({.name = "more", .kind = schema::StateKind::source, .heads = 2, .key_width = 6, .value_width = 6});
             }),
             "some of the source states only"));
  CHECK(says(refusal([](TinyModel& m) { m.states[0].window = 64; }), "kept whole"));
  CHECK(says(refusal([](TinyModel& m) {
               m.programs.push_back(m.programs[0]);
               m.programs.back().name = "again";
             }),
             "another program of kind encode"));
  CHECK(says(refusal([](TinyModel& m) {
               m.requirements.push_back("program:encoder");
               m.programs[1].kind = schema::ProgramKind::encoder;
             }),
             "by programs of kind decode alone"));
  CHECK(says(refusal([](TinyModel& m) { m.programs[0].kind = schema::ProgramKind::decode; }), "has source tokens"));
}

TEST_CASE("an encode program counts source tokens and nothing else") {
  CHECK(says(refusal([](TinyModel& m) {
               m.programs[0].values.push_back({"tokens", index_value(kTinyVocabulary)});
               m.programs[0].inputs.push_back({schema::Role::token_ids, "tokens", 2});
             }),
             "count something else than source tokens"));
  CHECK(says(refusal([](TinyModel& m) {
               m.requirements.push_back("state:token");
               m.states.push_back({.name = "token", .heads = 2, .key_width = 6, .value_width = 6});
               m.programs[0].operations.push_back(
                   tiny_operation<schema::Append>(Options::Append, {1, 1}, {}, [](Builder& b) { return schema::CreateAppend(b, 1); }));
             }),
             "one row for each of tokens"));
}
