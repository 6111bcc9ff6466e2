// Adapters beside bases whose columns were folded and whose inputs are turned.
#include "runtime/adapted_runs.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

/// Outlying columns in what norms, values and gates feed, so that the converter folds.
convert::FakeCheckpoint loud_checkpoint() {
  convert::FakeCheckpoint loud = decoder_checkpoint();
  for (int i = 0; i < 2; ++i)
    for (const auto& [name, columns] : {std::pair("self_attn.q_proj", 60), std::pair("self_attn.k_proj", 60),
                                        std::pair("self_attn.v_proj", 60), std::pair("self_attn.o_proj", 60),
                                        std::pair("mlp.gate_proj", 60), std::pair("mlp.up_proj", 60), std::pair("mlp.down_proj", 112)}) {
      const std::string full = "model.layers." + std::to_string(i) + "." + name + ".weight";
      std::vector<float> w = loud.read(full);
      const size_t width = static_cast<size_t>(columns);
      for (size_t k = 0; k < w.size(); ++k)
        if (k % width % 20 == 7) w[k] *= 8;
      loud.put(full, {w.size() / width, width}, w);
    }
  return loud;
}

Model convert_loud(const char* encoding, bool fold, bool turn, bool simulate = false) {
  const convert::CheckpointFolder folder("loud");
  folder.write(loud_checkpoint());
  convert::Options options;
  options.weights = encoding;
  options.fold = fold;
  options.turn = turn;
  options.simulate = simulate;
  convert::convert(folder.path(), folder.path("out.linnet"), options);
  return must(Model::open(folder.path("out.linnet").c_str()));
}

size_t folded_numbers(const Model& model) {
  size_t count = 0;
  for (const schema::Tensor* tensor : *model.file().root().tensors())
    count +=
        (tensor->row_factors() ? tensor->row_factors()->size() : 0) + (tensor->column_factors() ? tensor->column_factors()->size() : 0);
  return count;
}

/// The checkpoint that a file of f32 alone stands for: its factors divided out again, its parts under their own names.
convert::FakeCheckpoint unfolded(const Model& model) {
  convert::FakeCheckpoint checkpoint = decoder_checkpoint();
  for (size_t i = 0; i < model.file().tensors().size(); ++i) {
    const format::Tensor& tensor = model.file().tensors()[i];
    const schema::Tensor& table = *model.file().root().tensors()->Get(static_cast<uint32_t>(i));
    REQUIRE(tensor.encoding == schema::Encoding::f32);
    std::vector<float> values(size_t{tensor.rows} * tensor.columns);
    std::memcpy(values.data(), tensor.data, values.size() * sizeof(float));
    if (table.row_factors())
      for (const schema::Factor* factor : *table.row_factors())
        for (size_t k = 0; k < tensor.columns; ++k) values[factor->index() * tensor.columns + k] /= factor->factor();
    if (table.column_factors())
      for (const schema::Factor* factor : *table.column_factors())
        for (size_t n = 0; n < tensor.rows; ++n) values[n * tensor.columns + factor->index()] /= factor->factor();
    for (const schema::Part* part : *table.parts()) {
      if (part->use() == schema::Use::linear) continue;
      const auto first = values.begin() + static_cast<long>(size_t{part->first_row()} * tensor.columns);
      const std::vector<float> rows(first, first + static_cast<long>(size_t{part->rows()} * tensor.columns));
      checkpoint.put(part->source()->str(), checkpoint.tensor(part->source()->str()).shape, rows);
    }
  }
  return checkpoint;
}

}  // namespace

TEST_CASE("beside folded columns an adapter computes exactly what it would without the folds") {
  const std::vector<int32_t> ids = tokens(60);
  for (const char* encoding : {"int8", "int4"}) {
    const Model folded = convert_loud(encoding, true, true, true),
                whole = open_converted(decoder_adapter().merged(unfolded(folded)), "f32");
    CHECK(folded_numbers(folded) > 20);
    Session plain = opened(whole, {.context = 256, .batch_tokens = 200, .outputs = 200, .threads = 1}),
            session = opened(folded, decoder_limits());
    const std::vector<float> adapted = run_decoder(session, ids, must(session.attach(open_adapter(folded, decoder_adapter()))));
    CHECK(largest_difference(adapted, run_decoder(plain, ids, kNoAdapter)) < 1e-3);
    CHECK(largest_difference(adapted, run_decoder(session, ids, kNoAdapter)) > 0.5);
  }
}

TEST_CASE("a quantized base takes the adapter as well as the float one does, folded and turned or not") {
  const std::vector<int32_t> ids = tokens(60);
  const Model exact = open_converted(decoder_adapter().merged(loud_checkpoint()), "f32");
  Limits limits = decoder_limits();
  limits.state = StateEncoding::f32;
  Session reference = opened(exact, limits);
  const std::vector<float> expected = run_decoder(reference, ids, kNoAdapter);
  for (const char* encoding : {"int8", "int4"})
    for (bool turn : {true, false}) {
      CAPTURE(std::string(encoding));
      double likeness[2];
      for (bool fold : {false, true}) {
        const Model base = convert_loud(encoding, fold, turn);
        CHECK((folded_numbers(base) > 20) == fold);
        Session session = opened(base, limits);
        likeness[fold] = cosine(run_decoder(session, ids, must(session.attach(open_adapter(base, decoder_adapter())))), expected);
        CHECK(likeness[fold] > (std::string(encoding) == "int8" ? 0.985 : 0.9));
      }
      CHECK(likeness[true] > likeness[false] - 0.002);
    }
}
