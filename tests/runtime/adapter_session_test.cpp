// Adapters in sessions: nobody else notices them, and what they computed is known.
#include "runtime/adapted_runs.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

/// Of the base.
constexpr const char* kEncodings[] = {"f32", "f16", "int8", "int4"};

}  // namespace

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

TEST_CASE("a prompt that could not be read to its end leaves no trace of the adapter that read it") {
  const Model model = open_converted(decoder_checkpoint(), "int8");
  Limits limits = decoder_limits();
  limits.batch_tokens = 8;
  limits.outputs = 8;
  Session session = opened(model, limits);
  const AdapterId a = must(session.attach(open_adapter(model, decoder_adapter(5)))),
                  b = must(session.attach(open_adapter(model, decoder_adapter(6))));
  const SequenceId sequence = must(session.add(a));
  must(session.prefill("generate", {.sequence = sequence, .tokens = tokens(20)}));
  must(session.use(sequence, b));
  std::vector<int32_t> broken = tokens(20);
  broken[12] = 131;  // in the second chunk
  CHECK(session.prefill("generate", {.sequence = sequence, .tokens = broken}).code() == Code::invalid_argument);
  CHECK(session.length(sequence) == 20);
  CHECK(session.adapter(sequence) == b);
  CHECK(session.computed_with(sequence, a));
  const convert::CheckpointFolder folder("unread");
  must(session.save(sequence, folder.path("state").c_str()));
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
