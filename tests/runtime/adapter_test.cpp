// Adapters in sessions: what they compute, and that nobody else notices.
#include "linnet/adapter.h"

#include <cmath>

#include "convert/adapters/adapter_folder.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

Limits decoder_limits(uint32_t threads = 1) {
  return {.context = 256, .batch_tokens = 200, .sequences = 4, .outputs = 200, .threads = threads, .adapters = 3, .adapter_rank = 9};
}

/// All logits of `ids` in one run of a new sequence that uses `adapter`.
std::vector<float> run_decoder(Session& session, const std::vector<int32_t>& ids, AdapterId adapter) {
  const SequenceId sequence = must(session.add());
  must(session.use(sequence, adapter));
  const Input input{.sequence = sequence, .tokens = ids};
  must(session.run("generate", {&input, 1}, {.outputs = RunOptions::Outputs::all}));
  std::vector<float> logits = output(session);
  must(session.remove(sequence));
  return logits;
}

std::vector<float> run_encoder(Session& session, const std::vector<int32_t>& ids, AdapterId adapter) {
  const Input input{.tokens = ids, .adapter = adapter};
  must(session.run("encode", {&input, 1}));
  return output(session);
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::fabs(static_cast<double>(a[i]) - b[i]));
  return largest;
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i)
    ab += static_cast<double>(a[i]) * b[i], aa += static_cast<double>(a[i]) * a[i], bb += static_cast<double>(b[i]) * b[i];
  return ab / std::sqrt(aa * bb);
}

/// Decoder and encoder models with room for adapters, for every encoding of the base.
constexpr const char* kEncodings[] = {"f32", "f16", "int8", "int4"};

}  // namespace

TEST_CASE("an adapter beside its base computes what the merged checkpoint does") {
  const std::vector<int32_t> ids = tokens(150);
  const Model base = open_converted(decoder_checkpoint(), "f32"),
              whole = open_converted(decoder_adapter().merged(decoder_checkpoint()), "f32");
  Session plain = opened(whole, {.context = 256, .batch_tokens = 200, .outputs = 200, .threads = 1});
  const std::vector<float> expected = run_decoder(plain, ids, kNoAdapter);
  for (uint32_t threads : {1u, 3u}) {
    Session session = opened(base, decoder_limits(threads));
    const std::vector<float> adapted = run_decoder(session, ids, must(session.attach(open_adapter(base, decoder_adapter()))));
    CHECK(largest_difference(adapted, expected) < 2e-4);
    CHECK(largest_difference(adapted, run_decoder(session, ids, kNoAdapter)) > 0.5);
  }
}

TEST_CASE("biases, a classifier and a norm trained in full stand in for the base's") {
  const std::vector<int32_t> ids = tokens(60, 97);
  const Model base = open_converted(encoder_checkpoint(), "f32"),
              whole = open_converted(encoder_adapter().merged(encoder_checkpoint()), "f32");
  Session plain = opened(whole, {.threads = 1});
  Session session = opened(base, {.threads = 2, .adapters = 1, .adapter_rank = 3});
  const std::vector<float> expected = run_encoder(plain, ids, kNoAdapter);
  const std::vector<float> adapted = run_encoder(session, ids, must(session.attach(open_adapter(base, encoder_adapter()))));
  CHECK(largest_difference(adapted, expected) < 2e-5);
  CHECK(largest_difference(adapted, run_encoder(session, ids, kNoAdapter)) > 0.05);
}

TEST_CASE("an embedding's pair changes the input alone, another table what reads it") {
  const std::vector<int32_t> ids = tokens(20);
  const Model tied = open_converted(decoder_checkpoint(), "f32");
  // The reference: a head of its own that keeps the base's numbers.
  const auto with_head = [&](convert::FakeCheckpoint checkpoint, const std::vector<float>& head) {
    checkpoint.config()["tie_word_embeddings"] = false;
    return open_converted(checkpoint.put("lm_head.weight", {131, 60}, head), "f32");
  };
  const std::string table = "model.embed_tokens";
  const std::vector<float> base_table = decoder_checkpoint().read(table + ".weight");
  TestAdapter pair, head_pair, copy, copied_head, layer;
  pair.embedding(table, 131, 60);
  head_pair.pair("lm_head", 131, 60);
  copy.fill(table + ".weight", {131, 60});
  copied_head.fill("lm_head.weight", {131, 60});
  layer.fill(table + ".base_layer.weight", {131, 60}).embedding(table, 131, 60);
  convert::FakeCheckpoint untied = decoder_checkpoint();
  untied.put("lm_head.weight", {131, 60}, base_table);
  const convert::FakeCheckpoint merged_head = head_pair.merged(untied), copied = copied_head.merged(untied);
  TestAdapter layer_alone;
  layer_alone.fill(table + ".base_layer.weight", {131, 60});
  const std::vector<float> other_table = layer_alone.merged(decoder_checkpoint()).read(table + ".weight");
  const struct {
    const TestAdapter& adapter;
    Model expected;
  } cases[] = {
      {pair, with_head(pair.merged(decoder_checkpoint()), base_table)},
      {head_pair, with_head(decoder_checkpoint(), merged_head.read("lm_head.weight"))},
      {copy, with_head(copy.merged(decoder_checkpoint()), base_table)},
      {copied_head, with_head(decoder_checkpoint(), copied.read("lm_head.weight"))},
      {layer, with_head(layer.merged(decoder_checkpoint()), other_table)},
  };
  Session session = opened(tied, decoder_limits());
  const std::vector<float> before = run_decoder(session, ids, kNoAdapter);
  for (const auto& each : cases) {
    Session plain = opened(each.expected, {.context = 256, .outputs = 20, .threads = 1});
    const AdapterId adapter = must(session.attach(open_adapter(tied, each.adapter)));
    const std::vector<float> adapted = run_decoder(session, ids, adapter);
    CHECK(largest_difference(adapted, run_decoder(plain, ids, kNoAdapter)) < 1e-4);
    CHECK(largest_difference(adapted, before) > 0.05);
    must(session.detach(adapter));
  }
}

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

TEST_CASE("one adapter, another, none: each time the same bytes, and without one those of a session that knows no adapters") {
  const std::vector<int32_t> ids = tokens(90), text = tokens(40, 97);
  for (const char* encoding : kEncodings) {
    CAPTURE(std::string(encoding));
    const Model decoder = open_converted(decoder_checkpoint(), encoding), encoder = open_converted(encoder_checkpoint(), encoding);
    Session plain = opened(decoder, {.context = 256, .batch_tokens = 200, .outputs = 200, .threads = 1}),
            plain_encoder = opened(encoder, {.threads = 1});
    const std::vector<float> base = run_decoder(plain, ids, kNoAdapter), encoded = run_encoder(plain_encoder, text, kNoAdapter);
    Session session = opened(decoder, decoder_limits(2)),
            encoding_session = opened(encoder, {.threads = 2, .adapters = 2, .adapter_rank = 3});
    const AdapterId a = must(session.attach(open_adapter(decoder, decoder_adapter(5)))),
                    b = must(session.attach(open_adapter(decoder, decoder_adapter(6))));
    const AdapterId c = must(encoding_session.attach(open_adapter(encoder, encoder_adapter(5)))),
                    d = must(encoding_session.attach(open_adapter(encoder, encoder_adapter(6))));
    const std::vector<float> with_a = run_decoder(session, ids, a), with_b = run_decoder(session, ids, b);
    const std::vector<float> with_c = run_encoder(encoding_session, text, c), with_d = run_encoder(encoding_session, text, d);
    CHECK_FALSE(same_bytes(with_a, with_b));
    CHECK_FALSE(same_bytes(with_c, with_d));
    for (int round = 0; round < 2; ++round) {
      CHECK(same_bytes(run_decoder(session, ids, kNoAdapter), base));
      CHECK(same_bytes(run_decoder(session, ids, b), with_b));
      CHECK(same_bytes(run_decoder(session, ids, a), with_a));
      CHECK(same_bytes(run_encoder(encoding_session, text, kNoAdapter), encoded));
      CHECK(same_bytes(run_encoder(encoding_session, text, d), with_d));
      CHECK(same_bytes(run_encoder(encoding_session, text, c), with_c));
    }
  }
}

TEST_CASE("neighbours with other adapters, threads and chunks change nothing") {
  const std::vector<int32_t> first = tokens(70, 131, 1), second = tokens(13, 131, 2), third = tokens(41, 131, 3);
  for (const char* encoding : kEncodings) {
    CAPTURE(std::string(encoding));
    const Model model = open_converted(decoder_checkpoint(), encoding);
    Session alone = opened(model, decoder_limits());
    const AdapterId a = must(alone.attach(open_adapter(model, decoder_adapter(5)))),
                    b = must(alone.attach(open_adapter(model, decoder_adapter(6))));
    std::vector<float> expected = run_decoder(alone, first, a);
    for (const std::vector<float>& rows :
         {run_decoder(alone, second, kNoAdapter), run_decoder(alone, third, b), run_decoder(alone, second, b)})
      expected.insert(expected.end(), rows.begin(), rows.end());
    for (uint32_t threads : {1u, 2u, 5u}) {
      Session session = opened(model, decoder_limits(threads));
      must(session.attach(open_adapter(model, decoder_adapter(5))));
      must(session.attach(open_adapter(model, decoder_adapter(6))));
      std::vector<Input> inputs;
      for (const auto& [ids, adapter] :
           {std::pair(&first, a), std::pair(&second, kNoAdapter), std::pair(&third, b), std::pair(&second, b)}) {
        inputs.push_back({.sequence = must(session.add()), .tokens = *ids});
        must(session.use(inputs.back().sequence, adapter));
      }
      must(session.run("generate", inputs, {.outputs = RunOptions::Outputs::all}));
      CHECK(same_bytes(output(session), expected));

      // The last row again, after chunks of 1, 2, 3, ... tokens.
      const SequenceId chunked = inputs[0].sequence;
      must(session.rewind(chunked, 70));
      for (size_t done = 0, step = 1; done < first.size(); done += step, ++step) {
        const Input chunk{.sequence = chunked, .tokens = std::span(first).subspan(done, std::min(step, first.size() - done))};
        must(session.run("generate", {&chunk, 1}));
      }
      const std::vector<float> last(expected.begin() + 69 * 131, expected.begin() + 70 * 131);
      CHECK(same_bytes(output(session), last));
    }
  }
}

TEST_CASE("inputs of one encoder run choose for themselves") {
  const std::vector<int32_t> texts[] = {tokens(50, 97, 2), tokens(13, 97, 3), tokens(128, 97, 4)};
  for (const char* encoding : kEncodings) {
    const Model model = open_converted(encoder_checkpoint(), encoding);
    Session session = opened(model, {.batch_tokens = 400, .sequences = 3, .threads = 2, .adapters = 2, .adapter_rank = 3});
    const AdapterId a = must(session.attach(open_adapter(model, encoder_adapter(5)))),
                    b = must(session.attach(open_adapter(model, encoder_adapter(6))));
    const AdapterId chosen[] = {b, kNoAdapter, a};
    std::vector<float> expected;
    std::vector<Input> inputs;
    for (size_t i = 0; i < 3; ++i) {
      const std::vector<float> row = run_encoder(session, texts[i], chosen[i]);
      expected.insert(expected.end(), row.begin(), row.end());
      inputs.push_back({.tokens = texts[i], .adapter = chosen[i]});
    }
    must(session.run("encode", inputs));
    CHECK(same_bytes(output(session), expected));
  }
}

TEST_CASE("room for adapters is planned, costs nothing where none is wanted, and is enforced with both numbers") {
  const Model model = open_converted(decoder_checkpoint(), "int8"), other = open_converted(encoder_checkpoint(), "f32");
  const Adapter a = open_adapter(model, decoder_adapter(5)), b = open_adapter(model, decoder_adapter(6));
  CHECK(a.rank() == 9);
  const uint64_t none = planned(model, {.threads = 1}).arena();
  CHECK(planned(model, {.threads = 1, .adapter_rank = 9}).arena() == none);
  CHECK(planned(model, {.threads = 1, .adapters = 1, .adapter_rank = 9}).arena() > none);
  CHECK(planned(model, {.threads = 1, .adapters = 1}).limits().adapter_rank == 64);
  CHECK(std::string(plan(model, {.adapters = 5000}).status().message()) == "limits.adapters is 5000; at most 1024 can be served");
  CHECK(std::string(plan(model, {.adapters = 1, .adapter_rank = 5000}).status().message()) ==
        "limits.adapter_rank is 5000; at most 4096 can be served");

  Session plain = opened(model, {.threads = 1});
  CHECK(plain.attach(a).status().code() == Code::context_full);
  Session low = opened(model, {.threads = 1, .adapters = 1, .adapter_rank = 8});
  CHECK(std::string(low.attach(a).status().message()) == "the adapter has rank 9 but limits.adapter_rank is 8");
  Session one = opened(model, {.threads = 1, .adapters = 1, .adapter_rank = 9});
  const AdapterId first = must(one.attach(a));
  CHECK(std::string(one.attach(b).status().message()) == "all 1 planned adapters are attached; detach one or raise limits.adapters");
  const SequenceId sequence = must(one.add());
  CHECK(one.use(sequence, 7).code() == Code::invalid_argument);
  CHECK(one.use(9, first).code() == Code::invalid_argument);
  must(one.use(sequence, first));
  CHECK(one.adapter(sequence) == first);
  CHECK(std::string(one.detach(first).message()) == "adapter 0 is in use by sequence 0");
  must(one.use(sequence, kNoAdapter));
  must(one.detach(first));
  CHECK(one.detach(first).code() == Code::invalid_argument);
  CHECK(must(one.attach(b)) == first);
  const int32_t token = 3;
  const Input wrong{.sequence = sequence, .tokens = {&token, 1}, .adapter = first};
  CHECK(one.run("generate", {&wrong, 1}).code() == Code::invalid_argument);
  Session strange = opened(other, {.threads = 1, .adapters = 1, .adapter_rank = 9});
  CHECK(strange.attach(a).status().code() == Code::mismatch);
  const Input unknown{.tokens = {&token, 1}, .adapter = 0};
  CHECK(strange.run("encode", {&unknown, 1}).code() == Code::invalid_argument);
}

TEST_CASE("a sequence that switches keeps what was computed before, and says so") {
  const Model model = open_converted(decoder_checkpoint(), "int8");
  Session session = opened(model, decoder_limits());
  const AdapterId a = must(session.attach(open_adapter(model, decoder_adapter(5)))),
                  b = must(session.attach(open_adapter(model, decoder_adapter(6))));
  const std::vector<int32_t> ids = tokens(20);
  const SequenceId sequence = must(session.add());
  CHECK(session.computed_with(sequence, a));
  must(session.use(sequence, a));
  must(session.prefill("generate", {.sequence = sequence, .tokens = ids}));
  CHECK(session.computed_with(sequence, a));
  CHECK_FALSE(session.computed_with(sequence, kNoAdapter));
  const SequenceId fork = must(session.fork(sequence));
  CHECK(session.adapter(fork) == a);
  CHECK(session.computed_with(fork, a));
  must(session.use(sequence, b));
  CHECK(session.computed_with(sequence, a));
  must(session.prefill("generate", {.sequence = sequence, .tokens = ids}));
  CHECK_FALSE(session.computed_with(sequence, a));
  CHECK_FALSE(session.computed_with(sequence, b));
  const convert::CheckpointFolder folder("switched");
  CHECK(std::string(session.save(sequence, folder.path("state").c_str()).message()) ==
        "sequence 0 was computed with more than one adapter; a saved state is bound to one");
  must(session.rewind(sequence, 40));
  must(session.prefill("generate", {.sequence = sequence, .tokens = ids}));
  CHECK(session.computed_with(sequence, b));
}

TEST_CASE("a saved state is bound to the adapter that computed it") {
  const Model model = open_converted(decoder_checkpoint(), "int8");
  Session session = opened(model, decoder_limits());
  const AdapterId a = must(session.attach(open_adapter(model, decoder_adapter(5))));
  const std::vector<int32_t> ids = tokens(20), more = tokens(5, 131, 9);
  const convert::CheckpointFolder folder("saved-adapter");
  const std::string with_a = folder.path("a"), without = folder.path("none");
  const SequenceId sequence = must(session.add()), plain = must(session.add());
  must(session.use(sequence, a));
  must(session.prefill("generate", {.sequence = sequence, .tokens = ids}));
  must(session.prefill("generate", {.sequence = plain, .tokens = ids}));
  must(session.save(sequence, with_a.c_str()));
  must(session.save(plain, without.c_str()));
  must(session.prefill("generate", {.sequence = sequence, .tokens = more}));
  const std::vector<float> expected = output(session);

  Session later = opened(model, decoder_limits());
  must(later.attach(open_adapter(model, decoder_adapter(6))));
  CHECK(std::string(later.restore(with_a.c_str()).status().message()) ==
        with_a + ": the saved state belongs to another model, or to an adapter that is not attached");
  const AdapterId again = must(later.attach(open_adapter(model, decoder_adapter(5))));
  CHECK(std::string(later.restore(with_a.c_str()).status().message()) ==
        with_a + ": the saved state was computed with adapter 1, not with the model alone");
  CHECK(later.restore(with_a.c_str(), 0).status().code() == Code::mismatch);
  CHECK(later.restore(with_a.c_str(), 2).status().code() == Code::invalid_argument);
  CHECK(later.restore(without.c_str(), again).status().code() == Code::mismatch);
  const SequenceId restored = must(later.restore(with_a.c_str(), again));
  CHECK(later.adapter(restored) == again);
  CHECK(later.computed_with(restored, again));
  must(later.prefill("generate", {.sequence = restored, .tokens = more}));
  CHECK(same_bytes(output(later), expected));
  Session knows_none = opened(model, {.context = 256, .threads = 1});
  CHECK(knows_none.restore(with_a.c_str()).status().code() == Code::mismatch);
  must(knows_none.restore(without.c_str()));
}

TEST_CASE("an adapter is refused beside any other model, by the tensor or by both hashes") {
  const Model base = open_converted(decoder_checkpoint(), "f32"), rounded = open_converted(decoder_checkpoint(), "int8"),
              encoder = open_converted(encoder_checkpoint(), "f32");
  const convert::CheckpointFolder folder("bound");
  decoder_adapter().write(folder);
  const std::string path = folder.path("a.linnet");
  const convert::AdapterReport report = convert::convert_adapter(folder.path(), base.file(), path);
  CHECK(report.targets == 14);
  CHECK(report.rank == 9);
  const Adapter adapter = must(Adapter::open(base, path.c_str(), {.verify_checksums = true}));
  CHECK(adapter.targets() == 14);
  CHECK(adapter.target(0).kind == "low_rank");
  CHECK(adapter.target(14).base == "");
  const Status by_tensor = Adapter::open(encoder, path.c_str()).status(), by_hash = Adapter::open(rounded, path.c_str()).status();
  CHECK(by_tensor.code() == Code::mismatch);
  CHECK(std::string(by_tensor.message()).find("this model has no tensor \"model.layers.0.") != std::string::npos);
  CHECK(by_hash.code() == Code::mismatch);
  CHECK(std::string(by_hash.message()).find("convert the adapter for it") != std::string::npos);
  CHECK(std::string(Model::open(path.c_str()).status().message()) ==
        path + ": it is an adapter, expected a model; give it beside its base");
  const std::string model_path = folder.path("base.linnet");
  convert::CheckpointFolder checkpoint("bound-base");
  checkpoint.write(decoder_checkpoint());
  convert::convert(checkpoint.path(), model_path, {});
  CHECK(Adapter::open(base, model_path.c_str()).status().code() == Code::unsupported);
}
