// Conversations: what the model reads, what is not computed again, what is forgotten, and what is in a file.
#include "linnet/conversation.h"

#include <doctest/doctest.h>

#include <fstream>
#include <thread>

#include "runtime/session_impl.h"
#include "runtime/small_models.h"
#include "tasks/word_tokenizer.h"

using namespace linnet;
using namespace linnet::tests;

namespace {

constexpr const char* kTemplate =
    "{% for m in messages %}w1 {% if m.role == 'system' %}w2{% elif m.role == 'user' %}w3{% else %}w4{% endif %} {{ m.content }} "
    "{% endfor %}{% if add_generation_prompt %}w1 w4 {% endif %}";

Model chat_model(uint32_t seed_of_name = 0) {
  convert::CheckpointFolder folder("conversation");
  convert::FakeCheckpoint checkpoint = decoder_checkpoint();
  if (seed_of_name) checkpoint.config()["rope_theta"] = 5000;
  folder.write(checkpoint);
  folder.write("tokenizer.json", word_tokenizer(131));
  folder.write("tokenizer_config.json", {{"chat_template", kTemplate}});
  convert::Options options;
  options.weights = "int8";
  convert::convert(folder.path(), folder.path("out.linnet"), options);
  return must(Model::open(folder.path("out.linnet").c_str()));
}

const Model& model() {
  static const Model made = chat_model();
  return made;
}

ConversationOptions options(uint32_t context = 256) {
  ConversationOptions made;
  made.context = context;
  made.threads = 1;
  made.generate.max_tokens = 12;
  made.generate.ignore_eos = true;
  return made;
}

/// The answer of a conversation that begins anew with these messages.
std::string fresh(const std::vector<std::pair<std::string, std::string>>& messages) {
  Conversation conversation = must(Conversation::create(model(), options()));
  for (const auto& [role, content] : messages) must(conversation.add(role, content));
  return std::string(must(conversation.reply()).text);
}

}  // namespace

TEST_CASE("the model reads what its template writes, and its answer is a message") {
  Conversation conversation = must(Conversation::create(model(), options()));
  must(conversation.add("system", "w9 w9"));
  must(conversation.add("user", "w5 w6"));
  ChatText text;
  Ids ids;
  must(conversation.preview(&text, &ids));
  CHECK(text.text() == "w1 w2 w9 w9 w1 w3 w5 w6 w1 w4 ");
  CHECK(std::vector<int32_t>(ids.begin(), ids.end()) == std::vector<int32_t>{1, 2, 9, 9, 1, 3, 5, 6, 1, 4});
  const Reply reply = must(conversation.reply());
  CHECK(reply.prompt_tokens == 10);
  CHECK(reply.held == 0);
  CHECK(reply.report.new_tokens == 12);
  CHECK(!reply.text.empty());
  CHECK(conversation.messages() == 3);
  CHECK(conversation.message(2).role == "assistant");
  CHECK(conversation.message(2).content == reply.text);
}

TEST_CASE("a later turn computes what is new, and answers as a new conversation would") {
  Conversation conversation = must(Conversation::create(model(), options()));
  must(conversation.add("user", "w5 w6"));
  const std::string first(must(conversation.reply()).text);
  CHECK(first == fresh({{"user", "w5 w6"}}));
  must(conversation.add("user", "w8"));
  const Reply second = must(conversation.reply());
  CHECK(second.held >= 6 + 8);  // the first prompt, and of the answer what the words say again
  CHECK(second.text == fresh({{"user", "w5 w6"}, {"assistant", first}, {"user", "w8"}}));
  CHECK(conversation.remove_last());
  CHECK(conversation.remove_last());
  must(conversation.add("user", "w40"));
  const Reply other = must(conversation.reply());
  CHECK(other.held >= 6);
  CHECK(other.text == fresh({{"user", "w5 w6"}, {"assistant", first}, {"user", "w40"}}));
}

TEST_CASE("a conversation that no longer fits says so, or forgets its oldest messages but the system's") {
  const std::string words = "w5 w6 w7 w8 w5 w6 w7 w8";
  Conversation strict = must(Conversation::create(model(), options(48)));
  ConversationOptions loose_options = options(48);
  loose_options.forget_oldest = true;
  Conversation loose = must(Conversation::create(model(), loose_options));
  must(strict.add("system", "w9"));
  must(loose.add("system", "w9"));
  uint32_t forgotten = 0;
  Status status;
  for (int turn = 0; turn < 4; ++turn) {
    must(strict.add("user", words));
    must(loose.add("user", words));
    Result<Reply> refused = strict.reply();
    if (!refused.ok() && status.ok()) status = std::move(refused).status();
    forgotten = must(loose.reply()).forgotten;
  }
  CHECK(status.code() == Code::context_full);
  CHECK(std::string(status.message()).find("48") != std::string::npos);
  CHECK(forgotten > 0);
  CHECK(loose.messages() == 9);  // forgetting takes nothing from the list
}

TEST_CASE("a saved conversation goes on where it was, with nothing computed again") {
  convert::CheckpointFolder folder("saved_conversation");
  const std::string path = folder.path("talk.json");
  Conversation conversation = must(Conversation::create(model(), options()));
  must(conversation.add("user", "w5 \"w6\"\n\\ w7"));
  must(conversation.reply());
  must(conversation.save(path.c_str()));
  must(conversation.add("user", "w8"));
  const std::string expected(must(conversation.reply()).text);

  Conversation other = must(Conversation::create(model(), options()));
  must(other.add("user", "w77"));
  must(other.reply());
  must(other.load(path.c_str()));
  CHECK(other.messages() == 2);
  CHECK(other.message(0).content == "w5 \"w6\"\n\\ w7");
  must(other.add("user", "w8"));
  const Reply reply = must(other.reply());
  CHECK(reply.held > 0);
  CHECK(reply.text == expected);
}

TEST_CASE("a file of another model, a damaged one and one without its state change nothing") {
  convert::CheckpointFolder folder("bad_conversation");
  const std::string path = folder.path("talk.json");
  Conversation conversation = must(Conversation::create(model(), options()));
  must(conversation.add("user", "w5"));
  must(conversation.reply());
  must(conversation.save(path.c_str()));
  const Model strange = chat_model(1);
  Conversation foreign = must(Conversation::create(strange, options()));
  CHECK(foreign.load(path.c_str()).code() == Code::mismatch);
  CHECK(foreign.load(folder.path("none").c_str()).code() == Code::not_found);

  std::ifstream file(path);
  const std::string good{std::istreambuf_iterator<char>(file), {}};
  for (size_t length = 0; length + 2 < good.size(); length += 3) {
    std::ofstream(path) << good.substr(0, length);
    CHECK(conversation.load(path.c_str()).code() == Code::corrupt);
  }
  for (const char* wrong : {"{}", "[]", "{\"linnet_conversation\": 1, \"model\": 3, \"messages\": 4, \"ids\": 5}"}) {
    std::ofstream(path) << wrong;
    CHECK(!conversation.load(path.c_str()).ok());
  }
  const auto changed = [&](const std::string& from, const std::string& to) {
    const size_t at = good.find(from);
    REQUIRE(at != std::string::npos);
    return good.substr(0, at) + to + good.substr(at + from.size());
  };
  const size_t begin = good.find("\"ids\": ["), end = good.find(']', begin);
  for (const std::string& wrong :
       {changed("\"user\"", "7"), changed("\"w5\"", "null"), changed("\"w5\"", "[]"), changed("\"ids\": [", "\"ids\": [-1,"),
        changed("\"ids\": [", "\"ids\": [0.5,"), good.substr(0, begin) + "\"ids\": 7" + good.substr(end + 1),
        good.substr(0, begin) + "\"ids\": [1, 2]" + good.substr(end + 1)}) {
    CAPTURE(wrong);
    std::ofstream(path) << wrong;
    CHECK(conversation.load(path.c_str()).code() == Code::corrupt);
  }
  std::ofstream(path) << good;
  std::filesystem::remove(path + ".state");
  CHECK(conversation.load(path.c_str()).code() == Code::not_found);
  CHECK(conversation.messages() == 2);
  CHECK(conversation.message(0).content == "w5");
}

TEST_CASE("bytes that are no UTF-8 are kept as the model reads them") {
  convert::CheckpointFolder folder("bytes_conversation");
  Conversation conversation = must(Conversation::create(model(), options()));
  must(conversation.add("user", "w5 \xFF\xE4\xB8 \x01\x7F"));
  must(conversation.save(folder.path("talk.json").c_str()));
  must(conversation.load(folder.path("talk.json").c_str()));
  CHECK(conversation.message(0).content == "w5 \uFFFD\uFFFD\uFFFD \x01\x7F");
}

TEST_CASE("a conversation whose file cannot be written leaves no state behind that another file would take for its own") {
  convert::CheckpointFolder folder("unwritten_conversation");
  const std::string path = folder.path("talk.json");
  std::filesystem::create_directories(path + "/full");
  Conversation conversation = must(Conversation::create(model(), options()));
  must(conversation.add("user", "w5"));
  must(conversation.reply());
  CHECK(!conversation.save(path.c_str()).ok());
  CHECK(!std::filesystem::exists(path + ".state"));
}

TEST_CASE("cancelled while it writes, what was written is the answer; before, there is none") {
  struct Stop {
    Conversation* conversation;
    int left;
    static bool heard(void* user, const NewToken&) {
      auto& self = *static_cast<Stop*>(user);
      if (--self.left == 0) std::thread([&] { self.conversation->cancel(); }).join();
      return true;
    }
    static void before(void* user, size_t) { static_cast<Stop*>(user)->conversation->cancel(); }
  } stop{nullptr, 5};
  ConversationOptions made = options();
  made.generate.on_token = Stop::heard;
  made.generate.user = &stop;
  Conversation conversation = must(Conversation::create(model(), made));
  stop.conversation = &conversation;
  must(conversation.add("user", "w5 w6"));
  const Reply reply = must(conversation.reply());
  CHECK(reply.report.end == GenerateReport::End::stopped);
  CHECK(reply.report.new_tokens == 5);
  CHECK(conversation.messages() == 2);
  must(conversation.add("user", "w8"));
  conversation.session().impl().before_operation = Stop::before;
  conversation.session().impl().before_operation_user = &stop;
  CHECK(conversation.reply().status().code() == Code::cancelled);
  CHECK(conversation.messages() == 3);
  conversation.session().impl().before_operation = nullptr;
  stop.left = 0;
  CHECK(must(conversation.reply()).report.new_tokens == 12);
}

TEST_CASE("a model without a chat template or that writes no text is refused by name") {
  const Model plain = open_converted(decoder_checkpoint(), "f32"), encoder = open_converted(encoder_checkpoint(), "f32");
  const Status none = Conversation::create(plain).status();
  CHECK(none.code() == Code::not_found);
  CHECK(std::string(none.message()).find("chat template") != std::string::npos);
  const Status reads = Conversation::create(encoder).status();
  CHECK(reads.code() == Code::unsupported);
  CHECK(std::string(reads.message()).find("sequence_classification") != std::string::npos);
}
