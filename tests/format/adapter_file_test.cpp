// Adapters from untrusted files: each that is wrong in one place is refused by name, and whatever opens runs in bounds.
#include <doctest/doctest.h>

#include <limits>

#include "format/open_model.h"
#include "format/tiny_adapter.h"
#include "fuzz/run_adapted.h"

using namespace linnet;
using namespace linnet::tests;
using schema::TargetKind;
using schema::Use;

namespace {

class Base {
 public:
  explicit Base(const TinyModel& model = tiny_decoder()) : bytes_(model.file()), model_(Model::open(bytes_.data(), bytes_.size())) {
    REQUIRE_MESSAGE(model_.ok(), model_.status().message());
  }
  const Model& model() const { return *model_; }
  Outcome open(const Bytes& file) const {
    const AlignedBytes aligned(file);
    const Result<Adapter> adapter = Adapter::open(*model_, aligned.data(), aligned.size());
    return adapter.ok() ? Outcome{} : Outcome{adapter.status().code(), adapter.status().message()};
  }
  size_t run(const Bytes& file) const {
    const AlignedBytes aligned(file);
    return run_adapted(*model_, aligned.data(), aligned.size());
  }

 private:
  AlignedBytes bytes_;
  Result<Model> model_;
};

}  // namespace

TEST_CASE("a sound adapter opens and runs") {
  const Base base;
  const Bytes file = tiny_adapter(base.model().hash()).file();
  const Outcome outcome = base.open(file);
  CHECK_MESSAGE(outcome.code == Code::ok, outcome.message);
  CHECK(base.run(file) == 2);
}

TEST_CASE("a target that is wrong in one place is refused by name") {
  const struct {
    const char* what;
    void (*bend)(TinyAdapter&);
    Code code;
    const char* culprit;
  } cases[] = {
      {"no targets", [](TinyAdapter& a) { a.targets.clear(); }, Code::corrupt, "0 targets"},
      {"a kind of the future", [](TinyAdapter& a) { a.targets[0].kind = static_cast<TargetKind>(9); }, Code::unsupported,
       "\"qkv\" is of kind 9"},
      {"a use of the future", [](TinyAdapter& a) { a.targets[0].use = static_cast<Use>(7); }, Code::unsupported, "use 7"},
      {"no name", [](TinyAdapter& a) { a.targets[0].base = ""; }, Code::corrupt, "target 0 has no name"},
      {"rows beyond", [](TinyAdapter& a) { a.targets[0].first_row = 25; }, Code::corrupt, "12 rows from 25 on of 36 x 12"},
      {"rows that overflow", [](TinyAdapter& a) { a.targets[0].first_row = 0xfffffff8; }, Code::corrupt, "\"qkv\""},
      {"no rows", [](TinyAdapter& a) { a.targets[0].rows = 0; }, Code::corrupt, "0 rows"},
      {"A is not there", [](TinyAdapter& a) { a.targets[0].a = 99; }, Code::corrupt, "its A is tensor 99"},
      {"A is none", [](TinyAdapter& a) { a.targets[0].a = -1; }, Code::corrupt, "its A is tensor -1"},
      {"B is none", [](TinyAdapter& a) { a.targets[0].b = -5; }, Code::corrupt, "its B is tensor -5"},
      {"A is as wide as another", [](TinyAdapter& a) { a.targets[0].a = a.targets[0].b; }, Code::corrupt, "expected 12 x 12"},
      {"B is of another rank", [](TinyAdapter& a) { a.targets[0].b = a.targets[1].b; }, Code::corrupt,
       "its B \"output.B\" has 12 x 9 numbers, expected 12 x 3"},
      {"bias is too long", [](TinyAdapter& a) { a.targets[0].bias = a.targets[0].a; }, Code::corrupt, "its bias"},
      {"bias of an embedding", [](TinyAdapter& a) { a.targets[2].bias = a.targets[0].bias; }, Code::corrupt, "has no bias"},
      {"half an embedding", [](TinyAdapter& a) { a.targets[2].rows = 5; }, Code::corrupt, "is for all rows"},
      {"half precision in a pair",
       [](TinyAdapter& a) {
         a.container.requirements.push_back("encoding:f16");
         a.targets[0].a = a.container.add({.name = "half", .encoding = schema::Encoding::f16, .rows = 3, .columns = 12}, Bytes(72));
       },
       Code::corrupt, "is encoded as f16, expected f32"},
      {"a base that is not there", [](TinyAdapter& a) { a.targets[0].base = "kqv"; }, Code::mismatch, "no tensor \"kqv\""},
      {"a base of another shape", [](TinyAdapter& a) { a.targets[0].base_rows = 37; }, Code::mismatch,
       "37 x 12 in tensor \"qkv\", this model has 36 x 12"},
      {"another file", [](TinyAdapter& a) { ++a.base_hash; }, Code::mismatch, "convert the adapter for it"},
      {"a pair beside a norm",
       [](TinyAdapter& a) {
         a.targets[0] = {.base = "norm.weight",
                         .base_rows = 1,
                         .base_columns = 12,
                         .kind = TargetKind::low_rank,
                         .first_row = 0,
                         .rows = 1,
                         .a = a.targets[0].a,
                         .b = a.add("one.B", 1, 3)};
       },
       Code::unsupported, "that no linear reads"},
      {"an embedding's pair beside a linear",
       [](TinyAdapter& a) {
         a.targets[0] = {.base = "output",
                         .base_rows = 12,
                         .base_columns = 12,
                         .kind = TargetKind::embedding,
                         .first_row = 0,
                         .rows = 12,
                         .a = a.targets[0].b,
                         .b = a.targets[0].b};
       },
       Code::unsupported, "that no embedding reads"},
      {"a linear replaced for embeddings",
       [](TinyAdapter& a) {
         a.targets[3] = {.base = "output",
                         .base_rows = 12,
                         .base_columns = 12,
                         .kind = TargetKind::replacement,
                         .use = Use::embedding,
                         .first_row = 0,
                         .rows = 12,
                         .b = a.add("square", 12, 12)};
       },
       Code::unsupported, "no operation uses it"},
      {"half a table replaced",
       [](TinyAdapter& a) {
         a.targets[3].use = Use::every;
         a.targets[3].rows = 4;
         a.targets[3].b = a.add("four", 4, 12);
       },
       Code::unsupported, "is replaced as a whole"},
      {"two replacements of the same rows", [](TinyAdapter& a) { a.targets.push_back(a.targets[4]); }, Code::corrupt, "two replacements"},
      {"a replacement for every use and one for some",
       [](TinyAdapter& a) {
         a.targets.push_back(a.targets[3]);
         a.targets[5].use = Use::every;
       },
       Code::corrupt, "two replacements"},
      {"a control character in the base's name", [](TinyAdapter& a) { a.base_name = "a\nb"; }, Code::corrupt, "control character"},
      {"not said to be an adapter", [](TinyAdapter& a) { a.container.requirements.erase(a.container.requirements.begin()); }, Code::corrupt,
       "file:adapter"},
      {"quantized tensors", [](TinyAdapter& a) { a.container.requirements.push_back("encoding:int8"); }, Code::unsupported,
       "the adapter needs \"encoding:int8\""},
      {"a program", [](TinyAdapter& a) { a.container.programs = tiny_decoder().programs; }, Code::corrupt, "1 programs, expected none"},
  };
  const Base base;
  for (const auto& wrong : cases) {
    INFO(std::string(wrong.what));
    TinyAdapter adapter = tiny_adapter(base.model().hash());
    wrong.bend(adapter);
    const Outcome outcome = base.open(adapter.file());
    CHECK_MESSAGE(outcome.code == wrong.code, outcome.message);
    CHECK_MESSAGE(contains(outcome.message, wrong.culprit), outcome.message);
  }
}

TEST_CASE("a model is no adapter, and an adapter no model") {
  const Base base;
  CHECK(base.open(tiny_decoder().file()).code == Code::unsupported);
  TinyModel dense = tiny_encoder();
  dense.requirements = {"encoding:f32"};
  CHECK(contains(base.open(dense.file()).message, "used but not listed"));
  const Outcome outcome = open_outcome(tiny_adapter(base.model().hash()).file());
  CHECK(outcome.code == Code::unsupported);
  CHECK(contains(outcome.message, "it is an adapter, expected a model"));
  CHECK(Adapter::open(base.model(), static_cast<const char*>(nullptr)).status().code() == Code::invalid_argument);
  CHECK(Adapter::open(base.model(), nullptr, 10).status().code() == Code::invalid_argument);
}

TEST_CASE("every changed byte of an adapter's structural part is refused in words, or runs in bounds") {
  const Base base;
  const TinyAdapter adapter = tiny_adapter(base.model().hash());
  const Bytes structure = adapter.structure();
  size_t runs = 0;
  for (size_t i = 0; i < structure.size(); ++i)
    for (const int bit : {static_cast<int>(i % 8), 7}) {
      Bytes bent = structure;
      bent[i] = static_cast<uint8_t>(bent[i] ^ 1 << bit);
      runs += base.run(seal(bent, adapter.container.weights));
    }
  MESSAGE(2 * structure.size(), " files ran ", runs, " times");
  const Bytes file = adapter.file();
  for (size_t length = 0; length < file.size(); length += length < 16384 ? 1 : 101)
    CHECK(base.run(Bytes(file.begin(), file.begin() + static_cast<long>(length))) == 0);
}

TEST_CASE("factors and parts of a tensor are within it") {
  TinyModel model = tiny_encoder();
  const struct {
    const char* culprit;
    std::vector<schema::Factor> rows, columns;
  } cases[] = {
      {"factor 0 is of row 5 of 5", {{5, 2.0f}}, {}},
      {"factor 1 is of column 3 of 12, expected rising ones", {}, {{3, 2.0f}, {3, 2.0f}}},
      {"the factor of column 3 is 0 or not finite", {}, {{3, 0.0f}}},
      {"the factor of row 1 is 0 or not finite", {{1, std::numeric_limits<float>::infinity()}}, {}},
      {"", {{0, 2.0f}, {4, 0.5f}}, {{11, -3.0f}}},
  };
  for (const auto& each : cases) {
    TinyModel bent = model;
    bent.tensors[3].row_factors = each.rows;
    bent.tensors[3].column_factors = each.columns;
    const Outcome outcome = open_outcome(bent.file());
    CHECK_MESSAGE(contains(outcome.message, each.culprit), outcome.message);
    CHECK((outcome.code == Code::ok) == (*each.culprit == 0));
  }
}
