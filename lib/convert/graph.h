// Writing a program in a dozen verbs. A page in lib/convert/architectures calls them in the order of the paper; tensors are named as they
// stand in the checkpoint. What the page need not say is done here: which encoding a tensor gets, quantizing a linear's input (once for all
// linears that read it), the turn of a wide input, column folds, the list of requirements.
//
// Every verb checks shapes and throws Error with the tensor's name. The comment behind a verb is the shape of its result.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "convert/config.h"
#include "convert/graph_experts.h"
#include "convert/graph_weights.h"
#include "convert/rope_config.h"
#include "core/limits.h"
#include "format/program.h"

namespace linnet::convert {

class Writer;

/// A value of the program that is being written: rows x columns.
struct Value {
  uint32_t index = UINT32_MAX;
  uint32_t columns = 0;
};

/// Experts of each row, with their weights.
struct Routed {
  Value experts, weights;
};

/// Token or source state that was declared.
struct Cache {
  uint32_t index = UINT32_MAX;
  uint32_t heads = 0, key_width = 0, value_width = 0;
};

struct LinearOptions {
  WeightRole role = WeightRole::linear;
  bool bias = false;             // adds <name>.bias
  std::string bias_tensor = "";  // the bias where it is not called <name>.bias
  bool turned = false;           // turn the input where weights are quantized: for the wide inputs with peaks (`down`)
  bool transposed = false;       // the checkpoint stores the matrix as [in, out]
  bool flattened = false;        // the matrix is stored with more dimensions than two, as a convolution's kernel is
};

struct EmbedOptions {
  WeightRole role = WeightRole::embedding;
  float scale = 1;
  uint32_t row_offset = 0;
};

struct NormOptions {
  schema::NormKind kind = schema::NormKind::layer;
  float epsilon = 0;
  uint32_t width = 0;                  // columns that are normalized together; 0 = the whole row
  std::string weight = "", bias = "";  // full names; "" = none
  float added = 0;                     // to the weight: 1 where the checkpoint stores what a factor has beyond 1
};

struct AttentionOptions {
  schema::Reader reader = schema::Reader::causal;
  uint32_t heads = 0, kv_heads = 0;
  uint32_t width = 0;   // of a head
  float scale = 0;      // 0 = 1 / sqrt(width)
  uint32_t window = 0;  // reader window: positions that a row sees, its own included; with both_sides those on either side
  bool both_sides = false;
  float softcap = 0;               // scores become cap * tanh(score / cap); 0 = off
  std::vector<float> slopes = {};  // of each head: ALiBi in the way of Falcon
  std::string sinks = "";          // full name: one more score of each head, without a value; "" = none
  std::string relative_bias = "";  // full name: [buckets, heads], added by distance (T5)
  uint32_t relative_distance = 0;  // of its last bucket
};

/// Attention whose rows bring their own bias (ProphetNet).
struct NgramOptions {
  uint32_t heads = 0, width = 0;
  uint32_t relative_distance = 0;
  Value own_key, own_value;  // of the rows of a predicting stream; index UINT32_MAX = none
};

/// Tables by relative position that queries and keys are multiplied with besides each other (DeBERTa), made by the converter.
struct RelativeTables {
  std::string name;                  // of the layer; the tables are called after it
  std::vector<float> keys, queries;  // [2 * span][heads * width] each; empty = none
  std::vector<std::string> made_of;  // tensors of the checkpoint: who changes them would have to change the tables
  uint32_t span = 0, distance = 0;   // schema/FORMAT.md
};

class Graph {
 public:
  Graph(const Checkpoint& checkpoint, const Options& options);

  // ---- the checkpoint
  const Checkpoint& checkpoint() const { return checkpoint_; }
  bool has(const std::string& tensor) const { return weights_.has(tensor); }
  /// A tensor's size along one dimension. Throws Error when it has fewer.
  uint32_t size(const std::string& tensor, size_t dimension) const;
  /// The one number of a tensor.
  float scalar(const std::string& tensor);
  /// Throws Error where config.json gives another size than the tensor has.
  void expect_size(const Config& config, const std::string& key, const std::string& tensor, size_t dimension) const;
  /// Takes in a subfolder's tensors under names that begin with `prefix`.
  void attach(const std::string& prefix, std::unique_ptr<Checkpoint> checkpoint) { weights_.attach(prefix, std::move(checkpoint)); }
  /// The matrix of an output head: `stored` where the file has one that differs from the embedding, else the embedding itself.
  std::string head_matrix(const std::string& stored, const std::string& embedding, bool tied);
  /// Tensors (pattern) that a page leaves out on purpose; all others that stay unread are an error.
  void ignore(const std::string& pattern) { ignored_.push_back(pattern); }
  void note(const std::string& sentence) { notes_.push_back(sentence); }
  /// Rotary embedding as config.json says, with the frequency divisors that a GGUF file keeps as tensors.
  Rope rope(const Config& config, uint32_t head_width, double base = 10000);

  // ---- the model
  void task(schema::Task task) { task_ = task; }
  void labels(std::vector<std::string> names) { labels_ = std::move(names); }
  /// How alike a picture and a text are: scale * (image . text) + bias, of embeddings of length 1.
  void similarity(float scale, float bias) { similarity_ = {true, scale, bias}; }
  /// Texts that go before a text, by name; `chosen`: the name of the one that is meant where none is asked for, "" = none.
  void prompts(std::vector<std::pair<std::string, std::string>> texts, const std::string& chosen) {
    prompts_ = std::move(texts);
    default_prompt_ = chosen;
  }
  /// Opens the next program; the verbs write into the last one opened. max_positions 0 = no bound.
  void program(const std::string& name, schema::ProgramKind kind, uint32_t max_positions);
  /// Where the host gives none, positions of this program count the tokens that are not `id`, from id + 1 on (RoBERTa).
  void padding_positions(uint32_t id);
  /// Which tokens of this program are global where the host does not say (Longformer).
  void global_rule(schema::GlobalRule rule, int32_t separator_id = -1);

  // ---- inputs: one row per token unless another row count is given
  Value token_ids(uint32_t vocabulary);                                                    // tokens x 1
  Value token_types(uint32_t types);                                                       // tokens x 1
  Value global_tokens();                                                                   // tokens x 1
  Value positions(uint32_t bound = core::limits::kContext, format::Rows rows = tokens());  // rows x 1
  Value positions_3d();                                                                    // tokens x 3: time, row, column
  Value features(uint32_t columns, const std::string& name = "features");                  // patches x columns
  Value source_ids(uint32_t vocabulary);                                                   // source tokens x 1
  Value source_positions(uint32_t bound = core::limits::kContext);                         // source tokens x 1
  Value pixels(uint32_t channels, uint32_t height, uint32_t width);                        // images x all numbers of one
  Value picture_rows(uint32_t columns);                                                    // patches x columns; there may be none
  Value places(format::Rows rows);  // rows x 4: row and column of each patch, out of so many rows and columns

  // ---- verbs
  Value embed(Value ids, const std::string& table, const EmbedOptions& options = {});  // rows of ids x columns of table
  Value linear(Value x, const Names& names, const LinearOptions& options = {});        // rows of x x rows of the matrices
  /// The same with the matrix's full name: a head whose matrix is an embedding.
  Value linear_with(Value x, const std::string& matrix, const LinearOptions& options = {});
  Value norm(Value x, const NormOptions& options);           // as x
  Value rotary_angles(Value positions, const Rope& rope);    // rows of positions x rope.width
  Value rotary(Value x, Value angles, uint32_t head_width);  // as x
  /// `window`: positions that later ones look back at; 0 = all.
  Cache token_state(uint32_t layer, uint32_t heads, uint32_t width, uint32_t window = 0);
  Cache source_state(uint32_t layer, uint32_t heads, uint32_t width);  // an encode program appends to it, decode programs read it
  void append(const Cache& cache, Value keys, Value values);
  Value attention(Value query, Value keys, Value values, const AttentionOptions& options);  // rows of query x heads * width
  Value attention(Value query, const Cache& cache, const AttentionOptions& options);
  Value ngram_attention(Value query, Value bias, const Cache& cache, const NgramOptions& options);  // rows of query x heads * width
  /// Of this call's tokens among each other, with scores by relative position.
  Value attention(Value query, Value keys, Value values, const AttentionOptions& options, const RelativeTables& tables);
  /// Every token sees the global ones too, besides its window; `globals` is what global_tokens() gave.
  Value attention_to_globals(Value query, Value keys, Value values, Value globals, const AttentionOptions& options);
  /// Global tokens see all, and the rows of the others are those of `others`.
  Value attention_of_globals(Value query, Value keys, Value values, Value globals, Value others, const AttentionOptions& options);
  Value unary(Value x, schema::Function function);  // as x
  /// Throws Error where two matrices made `gate_and_up` and are not of one size.
  Value gate(Value gate_and_up, schema::Function function);  // half the columns
  Value add(Value a, Value b, float scale = 1);              // as a; b is multiplied first
  Value scale(Value x, float factor);                        // as x
  Value softcap(Value x, float cap);                         // as x: cap * tanh(x / cap)
  Value clamp(Value x, float limit);                         // as x: between -limit and limit
  Routed route(Value scores, const RouteOptions& options);   // rows of scores x count
  Value experts(Value x, const Routed& routed, const ExpertMatrices& matrices, const ExpertOptions& options = {});  // as `down`
  Value add_row(Value x, const std::string& row);                  // as x: the tensor's one row added to each
  Value prepend(Value x, const std::string& row);                  // one more row for each sequence
  Value select_outputs(Value x);                                   // outputs x columns of x
  Value pool(Value x, schema::PoolKind kind);                      // sequences x columns of x
  Value pool_last_of(Value x, Value ids, uint32_t id);             // sequences x columns of x
  Value shift_right(Value ids, uint32_t first);                    // as ids
  Value add_row(Value x, const std::string& table, uint32_t row);  // as x: plus one row of a table, by its full name
  /// A table that no checkpoint holds: numbers[row][column].
  Value embed_numbers(Value ids, const std::string& name, uint32_t columns, std::vector<float> numbers);
  Value slice(Value x, uint32_t first, uint32_t columns);  // rows of x x columns
  Value concat(const std::vector<Value>& values);          // side by side
  // Pictures (graph_vision.cpp)
  Value patchify(Value pictures, uint32_t channels, uint32_t height, uint32_t width, uint32_t patch);  // patches x numbers of one
  Value join_rows(Value x, uint32_t count);                                                            // `count` rows side by side
  Value split_rows(Value x, uint32_t count);                                                           // each row cut into `count`
  Value join_squares(Value x, uint32_t side, uint32_t grid_columns);  // side x side rows of a picture of so many columns side by side
  Value place_rows(Value x, Value ids, Value rows, uint32_t token_id, bool add);  // as x
  Value grid_embed(Value places, const std::string& table, uint32_t side);        // rows of places x columns of the table
  Value grid_angles(Value places, uint32_t width, float base);                    // rows of places x width
  /// The table's rows in order, added to each sequence's. `table` is a full name; it may have dimensions of 1 before the two.
  Value add_positions(Value x, const std::string& table, uint32_t count);  // as x
  Value multiply_row(Value x, const std::string& row);                     // as x
  /// Rows of a matrix and of its bias, both by their full names.
  Value linear_rows(Value x, const std::string& matrix, const std::string& bias, const RowRange& range, WeightRole role);
  Value pool_token(Value x, Value ids, int32_t id);  // sequences x columns of x: of the first token of this id; -1: of the largest id
  void output(schema::Role role, const std::string& name, Value value);
  /// An output for people who compare with a reference; in the file only where Options::trace asks for it.
  void trace(const std::string& name, Value value);
  format::Rows rows(Value x) { return current().values[x.index].rows; }

  static format::Rows tokens() { return {.symbol = schema::Symbol::tokens}; }
  static format::Rows sequences() { return {.symbol = schema::Symbol::sequences}; }
  static format::Rows outputs() { return {.symbol = schema::Symbol::outputs}; }
  static format::Rows patches() { return {.symbol = schema::Symbol::patches}; }
  static format::Rows source_tokens() { return {.symbol = schema::Symbol::source_tokens}; }
  static format::Rows images() { return {.symbol = schema::Symbol::images}; }

  // ---- what was written; the fold (graph_fold.cpp), the tables (model_tables.cpp) and tests read it
  struct Operation {
    schema::Options type;
    flatbuffers::Offset<void> options;
    std::vector<uint32_t> inputs, outputs;
    int32_t tensor = -1, bias = -1;
    int32_t state = -1;
    uint32_t heads = 0, kv_heads = 0;
  };
  struct Port {
    schema::Role role;
    std::string name;
    uint32_t value;
  };
  struct Program {
    std::string name;
    schema::ProgramKind kind;
    uint32_t max_positions;
    std::vector<format::Value> values;
    std::vector<std::string> value_names;
    std::vector<Port> inputs, outputs;
    std::vector<Operation> operations;
    std::map<std::pair<uint32_t, uint32_t>, uint32_t> quantized;  // (value, turn) -> its q8 value
    int32_t padding_id = -1, separator_id = -1;
    schema::GlobalRule global_rule = schema::GlobalRule::none;
  };
  struct State {
    std::string name;
    schema::StateKind kind;
    uint32_t layer, heads, key_width, value_width, window;
  };
  struct Similarity {
    bool given = false;
    float scale = 1, bias = 0;
  };
  const Similarity& similarity() const { return similarity_; }
  const std::vector<Program>& programs() const { return programs_; }
  const std::set<schema::Feature>& features() const { return features_; }
  const std::vector<State>& states() const { return states_; }
  Weights& weights() { return weights_; }
  schema::Task task() const { return task_; }
  const std::vector<std::string>& labels() const { return labels_; }
  const std::vector<std::pair<std::string, std::string>>& prompts() const { return prompts_; }
  const std::string& default_prompt() const { return default_prompt_; }
  const std::vector<std::string>& notes() const { return notes_; }
  /// Tensors of the checkpoint that nothing reads, ", " between them.
  const std::string& left_out() const { return left_out_; }
  flatbuffers::FlatBufferBuilder& builder() { return builder_; }

  /// Column folds between neighbouring matrices (graph_fold.cpp). Called once, after the page.
  void fold();
  /// Refuses tensors that nothing reads; notes those that were ignored on purpose.
  void check_everything_read();

 private:
  Program& current();
  Value add_value(const std::string& name, schema::ValueType type, uint32_t columns, format::Rows rows, uint32_t bound = 0);
  Value input(schema::Role role, const std::string& name, schema::ValueType type, uint32_t columns, format::Rows rows, uint32_t bound);
  Value input_once(schema::Role role, const std::string& name, format::Rows rows, uint32_t bound);
  template <class Table>
  Operation& operation(schema::Options type, flatbuffers::Offset<Table> table, std::vector<Value> inputs, std::vector<Value> outputs);
  Value quantize(Value x, uint32_t turn);
  Value linear_of(Value x, uint32_t tensor, int32_t bias, const std::string& name);
  /// What attention has besides its options.
  struct AttentionParts {
    int32_t relative_keys = -1, relative_queries = -1;
    uint32_t span = 0, distance = 0;
    bool global_tokens = false;
  };
  Value attend(std::vector<Value> inputs, int32_t state, uint32_t value_width, const AttentionOptions& options,
               const AttentionParts& parts);
  void expect_own_keys(Value keys, Value values, const AttentionOptions& options) const;
  void expect_columns(const std::string& what, uint32_t columns, uint32_t expected) const;

  const Checkpoint& checkpoint_;
  Weights weights_;
  flatbuffers::FlatBufferBuilder builder_;
  std::vector<Program> programs_;
  std::vector<State> states_;
  std::set<schema::Feature> features_;
  schema::Task task_ = schema::Task::none;
  std::vector<std::string> labels_, ignored_, notes_;
  std::vector<std::pair<std::string, std::string>> prompts_;
  std::string default_prompt_, left_out_;
  Similarity similarity_;
};

template <class Table>
Graph::Operation& Graph::operation(schema::Options type, flatbuffers::Offset<Table> table, std::vector<Value> inputs,
                                   std::vector<Value> outputs) {
  Operation made;
  made.type = type;
  made.options = table.Union();
  for (Value value : inputs) made.inputs.push_back(value.index);
  for (Value value : outputs) made.outputs.push_back(value.index);
  current().operations.push_back(std::move(made));
  return current().operations.back();
}

}  // namespace linnet::convert
