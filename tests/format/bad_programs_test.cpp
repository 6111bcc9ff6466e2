#include <limits>

#include "format/bad_model.h"

using namespace linnet;
using namespace linnet::tests;
using schema::Options;
using schema::Role;
using Builder = FlatBufferBuilder;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TinyProgram& program(TinyModel& model) { return model.programs[0]; }
TinyOperation& operation(TinyModel& model, size_t i) { return model.programs[0].operations[i]; }
format::Value& value(TinyModel& model, size_t i) { return model.programs[0].values[i].value; }

const BadModel kRequirementCases[] = {
    {"an operation of the future", [](TinyModel& m) { m.requirements.push_back("operation:Teleport"); }, Code::unsupported,
     "the model needs \"operation:Teleport\", which this build does not have"},
    {"an encoding of the future", [](TinyModel& m) { m.requirements.push_back("encoding:int3"); }, Code::unsupported,
     "the model needs \"encoding:int3\""},
    {"an encoding that this build lacks", [](TinyModel& m) { m.requirements.push_back("encoding:codebook4"); }, Code::unsupported,
     "the model needs \"encoding:codebook4\""},
    {"a state of the future", [](TinyModel& m) { m.requirements.push_back("state:tree"); }, Code::unsupported,
     "the model needs \"state:tree\""},
    {"a program of the future", [](TinyModel& m) { m.requirements.push_back("program:dream"); }, Code::unsupported,
     "the model needs \"program:dream\""},
    {"a feature of the future", [](TinyModel& m) { m.requirements.push_back("feature:telepathy"); }, Code::unsupported,
     "the model needs \"feature:telepathy\""},
    {"a kind of requirement of the future", [](TinyModel& m) { m.requirements.push_back("weather:sunny"); }, Code::unsupported,
     "the model needs \"weather:sunny\""},
    {"one without a kind", [](TinyModel& m) { m.requirements.push_back("Linear"); }, Code::unsupported, "the model needs \"Linear\""},
    {"one that is empty", [](TinyModel& m) { m.requirements.push_back(""); }, Code::corrupt, "requirement 5 has no name"},
    {"one with an empty name", [](TinyModel& m) { m.requirements.push_back("operation:"); }, Code::unsupported,
     "the model needs \"operation:\""},
    {"one with a line end", [](TinyModel& m) { m.requirements.push_back("operation:\n"); }, Code::corrupt,
     "requirement 5 has a control character"},
    {"the absent operation", [](TinyModel& m) { m.requirements.push_back("operation:NONE"); }, Code::unsupported,
     "the model needs \"operation:NONE\""},
    {"an operation used but not listed", [](TinyModel& m) { m.requirements.erase(m.requirements.begin() + 1); }, Code::corrupt,
     "operation 1: \"operation:Norm\" is used but not listed"},
    {"an encoding used but not listed", [](TinyModel& m) { m.requirements.erase(m.requirements.begin() + 3); }, Code::corrupt,
     "\"encoding:f32\" is used but not listed"},
    {"a program used but not listed", [](TinyModel& m) { m.requirements.pop_back(); }, Code::corrupt,
     "\"program:encoder\" is used but not listed"},
    {"too many", [](TinyModel& m) { m.requirements.resize(1025, "encoding:f32"); }, Code::corrupt,
     "1025 requirements, expected at most 1024"},
    {"a task of the future", [](TinyModel& m) { m.task = static_cast<schema::Task>(99); }, Code::unsupported, "the task is 99"},
};

const BadModel kProgramCases[] = {
    {"no program", [](TinyModel& m) { m.programs.clear(); }, Code::corrupt, "0 programs, expected 1 to 16"},
    {"too many programs", [](TinyModel& m) { m.programs.resize(17, m.programs[0]); }, Code::corrupt, "17 programs, expected 1 to 16"},
    {"two of one name", [](TinyModel& m) { m.programs.push_back(m.programs[0]); }, Code::corrupt, "two programs are called \"encoder\""},
    {"no name", [](TinyModel& m) { program(m).name = ""; }, Code::corrupt, "program 0 has no name"},
    {"a kind of the future", [](TinyModel& m) { program(m).kind = static_cast<schema::ProgramKind>(77); }, Code::unsupported,
     "program \"encoder\": its kind is 77"},
    {"padding that is passed over but not listed", [](TinyModel& m) { program(m).padding_id = 1; }, Code::corrupt,
     "program \"encoder\": \"feature:padding_positions\" is used but not listed"},
    {"a padding id below -1", [](TinyModel& m) { program(m).padding_id = -2; }, Code::corrupt,
     "padding id -2 and separator id -1, expected"},
    {"padding that is passed over while writing",
     [](TinyModel& m) {
       m.requirements.insert(m.requirements.end(), {"feature:padding_positions", "program:autoregressive"});
       program(m).kind = schema::ProgramKind::autoregressive;
       program(m).padding_id = 1;
     },
     Code::corrupt, "positions that pass over an id in a program of kind autoregressive, expected encoder"},
    {"a rule for global tokens of the future", [](TinyModel& m) { program(m).global_rule = static_cast<schema::GlobalRule>(9); },
     Code::unsupported, "its global rule is 9"},
    {"global tokens before a separator that is not told",
     [](TinyModel& m) { program(m).global_rule = schema::GlobalRule::before_separator; }, Code::corrupt, "but no separator id"},
    {"positions beyond the limit", [](TinyModel& m) { program(m).max_positions = UINT32_MAX; }, Code::corrupt,
     "program \"encoder\": 4294967295 positions"},
    {"blocks beyond the limit", [](TinyModel& m) { program(m).block_length = UINT32_MAX; }, Code::corrupt, "in blocks of 4294967295"},
    {"no operations", [](TinyModel& m) { program(m).operations.clear(); }, Code::corrupt, "program \"encoder\": 0 operations"},
    {"too many values", [](TinyModel& m) { program(m).values.resize(100001, program(m).values[1]); }, Code::corrupt,
     "program \"encoder\": 100001 values, expected at most 100000"},
    {"a value whose name moves the cursor", [](TinyModel& m) { program(m).values[1].name = "\x1b[2J"; }, Code::corrupt,
     "value 1 has a control character"},
    {"a value of an unknown type", [](TinyModel& m) { value(m, 1).type = static_cast<schema::ValueType>(9); }, Code::unsupported,
     "value 1 \"embedded\": type 9"},
    {"a value without columns", [](TinyModel& m) { value(m, 1).columns = 0; }, Code::corrupt, "value 1 \"embedded\": 0 columns"},
    {"a value with too many columns", [](TinyModel& m) { value(m, 1).columns = UINT32_MAX; }, Code::corrupt,
     "value 1 \"embedded\": 4294967295 columns"},
    {"numbers with a bound", [](TinyModel& m) { value(m, 1).bound = 3; }, Code::corrupt,
     "value 1 \"embedded\": a bound of 3, but it is no index"},
    {"an index beyond int32", [](TinyModel& m) { value(m, 0).bound = 1u << 31; }, Code::corrupt, "value 0 \"ids\": a bound of 2147483648"},
    {"an index without a bound", [](TinyModel& m) { value(m, 0).bound = 0; }, Code::corrupt,
     "input \"input_ids\": an index without a bound"},
    {"an index beyond the table", [](TinyModel& m) { value(m, 0).bound = 12; }, Code::corrupt,
     "ids below 12 from row 0 on, but tensor \"embedding\" has 11 rows"},
    {"rows divided by 0", [](TinyModel& m) { value(m, 1).rows.divide = 0; }, Code::corrupt, "value 1 \"embedded\": 1 * symbol / 0"},
    {"rows of an unknown symbol", [](TinyModel& m) { value(m, 1).rows.symbol = static_cast<schema::Symbol>(7); }, Code::unsupported,
     "value 1 \"embedded\": rows of symbol 7"},
    {"rows multiplied beyond the limit", [](TinyModel& m) { value(m, 1).rows.multiply = 4097; }, Code::corrupt,
     "value 1 \"embedded\": 4097 * symbol"},
    {"rows per sequence beyond the limit", [](TinyModel& m) { value(m, 1).rows.per_sequence = UINT32_MAX; }, Code::corrupt,
     "4294967295 * sequences"},
    {"constant rows beyond the limit", [](TinyModel& m) { value(m, 1).rows.constant = UINT32_MAX; }, Code::corrupt, "+ 4294967295 rows"},
    {"rows that need not be whole", [](TinyModel& m) { value(m, 1).rows.divide = 2; }, Code::unsupported, "1 / 2 of tokens"},
    {"an input that is no value", [](TinyModel& m) { program(m).inputs[0].value = 4; }, Code::corrupt,
     "input \"input_ids\" is value 4, but there are 4"},
    {"an output that is no value", [](TinyModel& m) { program(m).outputs[0].value = UINT32_MAX; }, Code::corrupt,
     "output \"last_hidden_state\" is value 4294967295"},
    {"an input without a name", [](TinyModel& m) { program(m).inputs[0].name = ""; }, Code::corrupt, "input 0 has no name"},
    {"outputs of one name", [](TinyModel& m) { program(m).outputs[0].name = "logits"; }, Code::corrupt,
     "two outputs are called \"logits\""},
    {"an unknown role", [](TinyModel& m) { program(m).inputs[0].role = static_cast<Role>(40); }, Code::unsupported,
     "input \"input_ids\" has role 40"},
    {"an output's role at an input", [](TinyModel& m) { program(m).inputs[0].role = Role::logits; }, Code::unsupported,
     "input \"input_ids\": role 64"},
    {"an input's role at an output", [](TinyModel& m) { program(m).outputs[0].role = Role::pixels; }, Code::corrupt,
     "output \"last_hidden_state\" has role pixels"},
    {"too many ports", [](TinyModel& m) { program(m).outputs.resize(65, program(m).outputs[0]); }, Code::corrupt,
     "65 outputs, expected at most 64"},
    {"an output that is an index", [](TinyModel& m) { program(m).outputs[0].value = 0; }, Code::corrupt,
     "output \"last_hidden_state\" is index"},
    {"an output that nothing defines", [](TinyModel& m) { program(m).operations.pop_back(); }, Code::corrupt,
     "output \"logits\" is value 3, which is not defined"},
    {"one value as two inputs",
     [](TinyModel& m) {
       program(m).inputs.push_back({Role::token_types, "token_type_ids", 0});
     },
     Code::corrupt, "input \"token_type_ids\" is value 0, which is another input already"},
    {"numbers as token ids", [](TinyModel& m) { program(m).inputs[0].value = 1; }, Code::corrupt, "input \"input_ids\": it is f32"},
};

const BadModel kOperationCases[] = {
    {"no options", [](TinyModel& m) { operation(m, 1).type = Options::NONE; }, Code::corrupt,
     "operation 1: it has no options and so no meaning"},
    {"a code of the future", [](TinyModel& m) { operation(m, 1).type = static_cast<Options>(200); }, Code::unsupported,
     "operation 1: its code is 200"},
    {"an operand that is no value", [](TinyModel& m) { operation(m, 1).inputs[0] = 4; }, Code::corrupt,
     "operation 1: its input is value 4, but there are 4"},
    {"a result that is no value", [](TinyModel& m) { operation(m, 1).outputs[0] = UINT32_MAX; }, Code::corrupt,
     "operation 1: its output is value 4294967295"},
    {"too many operands", [](TinyModel& m) { operation(m, 1).inputs.resize(17, 0); }, Code::corrupt,
     "operation 1: 17 inputs, expected at most 16"},
    {"too many results", [](TinyModel& m) { operation(m, 1).outputs.resize(17, 0); }, Code::corrupt,
     "operation 1: 17 outputs, expected at most 16"},
    {"no operand", [](TinyModel& m) { operation(m, 1).inputs.clear(); }, Code::corrupt, "operation 1: Norm: 0 inputs"},
    {"no result", [](TinyModel& m) { operation(m, 1).outputs.clear(); }, Code::corrupt, "operation 1: Norm: 0 outputs"},
    {"use before definition", [](TinyModel& m) { operation(m, 1).inputs[0] = 3; }, Code::corrupt,
     "operation 1: Norm: it reads value 3 before it is defined"},
    {"a cycle", [](TinyModel& m) { operation(m, 1).inputs[0] = 2; }, Code::corrupt,
     "operation 1: Norm: it reads value 2 before it is defined"},
    {"an input written over", [](TinyModel& m) { operation(m, 1).outputs[0] = 0; }, Code::corrupt,
     "operation 1: Norm: it writes value 0, which is defined already"},
    {"one value defined twice", [](TinyModel& m) { operation(m, 1).outputs[0] = 1; }, Code::corrupt,
     "operation 1: Norm: it writes value 1, which is defined already"},
    {"an operand of another type", [](TinyModel& m) { operation(m, 1).inputs[0] = 0; }, Code::corrupt,
     "operation 1: Norm: input 0 is index, expected f32"},
    {"another shape than declared", [](TinyModel& m) { value(m, 2).columns = 11; }, Code::corrupt,
     "operation 1: Norm: value 2 is declared with another number of columns"},
    {"other rows than declared", [](TinyModel& m) { value(m, 2).rows.symbol = schema::Symbol::outputs; }, Code::corrupt,
     "operation 1: Norm: value 2 is declared with another number of rows"},
    {"another type than declared", [](TinyModel& m) { value(m, 2).type = schema::ValueType::q8; }, Code::corrupt,
     "operation 1: Norm: value 2 is declared with another type"},
    {"a tensor that is not there",
     [](TinyModel& m) {
       operation(m, 0) = tiny_operation<schema::Embed>(Options::Embed, {0}, {1}, [](Builder& b) { return schema::CreateEmbed(b, 5); });
     },
     Code::corrupt, "operation 0: Embed: the table is tensor 5, but there are 5"},
    {"a tensor with a negative number",
     [](TinyModel& m) {
       operation(m, 0) =
           tiny_operation<schema::Embed>(Options::Embed, {0}, {1}, [](Builder& b) { return schema::CreateEmbed(b, INT32_MIN); });
     },
     Code::corrupt, "operation 0: Embed: no table tensor is given"},
    {"a tensor of another shape",
     [](TinyModel& m) {
       operation(m, 2) =
           tiny_operation<schema::Linear>(Options::Linear, {2}, {3}, [](Builder& b) { return schema::CreateLinear(b, 3, 1); });
     },
     Code::corrupt, "operation 2: Linear: the bias \"norm.weight\" has 1 x 12 numbers, expected 1 x 5"},
    {"options of another operation", [](TinyModel& m) { operation(m, 1).type = Options::Linear; }, Code::corrupt, "operation 1"},
    {"an unknown kind of norm",
     [](TinyModel& m) {
       operation(m, 1) = tiny_operation<schema::Norm>(Options::Norm, {1}, {2},
                                                      [](Builder& b) { return schema::CreateNorm(b, static_cast<schema::NormKind>(3)); });
     },
     Code::unsupported, "operation 1: Norm: kind 3"},
    {"an epsilon that is no number",
     [](TinyModel& m) {
       operation(m, 1) = tiny_operation<schema::Norm>(Options::Norm, {1}, {2},
                                                      [](Builder& b) { return schema::CreateNorm(b, schema::NormKind::rms, kNaN); });
     },
     Code::corrupt, "operation 1: Norm: its epsilon is not a finite number"},
    {"an epsilon below 0",
     [](TinyModel& m) {
       operation(m, 1) = tiny_operation<schema::Norm>(Options::Norm, {1}, {2},
                                                      [](Builder& b) { return schema::CreateNorm(b, schema::NormKind::rms, -1); });
     },
     Code::corrupt, "operation 1: Norm: its epsilon is below 0"},
    {"groups that do not divide",
     [](TinyModel& m) {
       operation(m, 1) = tiny_operation<schema::Norm>(Options::Norm, {1}, {2},
                                                      [](Builder& b) { return schema::CreateNorm(b, schema::NormKind::rms, 0, 5); });
     },
     Code::corrupt, "operation 1: Norm: groups of 5 columns do not divide 12"},
    {"an endless embedding",
     [](TinyModel& m) {
       operation(m, 0) =
           tiny_operation<schema::Embed>(Options::Embed, {0}, {1}, [](Builder& b) { return schema::CreateEmbed(b, 0, kInfinity); });
     },
     Code::corrupt, "operation 0: Embed: its scale is not a finite number"},
    {"rows of a table that wrap",
     [](TinyModel& m) {
       operation(m, 0) =
           tiny_operation<schema::Embed>(Options::Embed, {0}, {1}, [](Builder& b) { return schema::CreateEmbed(b, 0, 1, UINT32_MAX); });
     },
     Code::corrupt, "operation 0: Embed: ids below 11 from row 4294967295 on"},
    {"rows of a matrix that wrap",
     [](TinyModel& m) {
       operation(m, 2) = tiny_operation<schema::Linear>(Options::Linear, {2}, {3},
                                                        [](Builder& b) { return schema::CreateLinear(b, 3, 4, false, 1, UINT32_MAX); });
     },
     Code::corrupt, "operation 2: Linear: rows 1 to 4294967296 of tensor \"head\""},
};

template <class Table>
void replace(TinyModel& m, size_t i, Offset<Table> (*create)(Builder&)) {
  operation(m, i).write = [create](Builder& b) { return create(b).Union(); };
}

const BadModel kDecoderCases[] = {
    {"rotary base 0",
     [](TinyModel& m) { replace<schema::RotaryAngles>(m, 7, [](Builder& b) { return schema::CreateRotaryAngles(b, 6, 0); }); },
     Code::corrupt, "RotaryAngles: the base"},
    {"rotary base below 0",
     [](TinyModel& m) { replace<schema::RotaryAngles>(m, 7, [](Builder& b) { return schema::CreateRotaryAngles(b, 6, -5); }); },
     Code::corrupt, "RotaryAngles: its base is below 0"},
    {"rotary base no number",
     [](TinyModel& m) { replace<schema::RotaryAngles>(m, 7, [](Builder& b) { return schema::CreateRotaryAngles(b, 6, kNaN); }); },
     Code::corrupt, "RotaryAngles: its base is not a finite number"},
    {"rotary of odd width",
     [](TinyModel& m) { replace<schema::RotaryAngles>(m, 7, [](Builder& b) { return schema::CreateRotaryAngles(b, 5); }); }, Code::corrupt,
     "RotaryAngles: a width of 5"},
    {"rotary of no width",
     [](TinyModel& m) { replace<schema::RotaryAngles>(m, 7, [](Builder& b) { return schema::CreateRotaryAngles(b, 0); }); }, Code::corrupt,
     "RotaryAngles: a width of 0"},
    {"an unknown scaling",
     [](TinyModel& m) {
       replace<schema::RotaryAngles>(
           m, 7, [](Builder& b) { return schema::CreateRotaryAngles(b, 6, 10000, static_cast<schema::RotaryScaling>(40)); });
     },
     Code::unsupported, "RotaryAngles: scaling 40"},
    {"rotary heads of width 0", [](TinyModel& m) { replace<schema::Rotary>(m, 8, [](Builder& b) { return schema::CreateRotary(b, 0); }); },
     Code::corrupt, "Rotary: heads of 0 columns"},
    {"attention without heads",
     [](TinyModel& m) {
       replace<schema::Attention>(m, 11, [](Builder& b) { return schema::CreateAttention(b, 0, schema::Reader::causal, 0, 0, 6, 6); });
     },
     Code::corrupt, "Attention: 0 heads"},
    {"attention without key heads",
     [](TinyModel& m) {
       replace<schema::Attention>(m, 11, [](Builder& b) { return schema::CreateAttention(b, 0, schema::Reader::causal, 2, 0, 6, 6); });
     },
     Code::corrupt, "Attention: 2 heads over 0 key/value heads"},
    {"attention heads that do not share evenly",
     [](TinyModel& m) {
       replace<schema::Attention>(m, 11, [](Builder& b) { return schema::CreateAttention(b, 0, schema::Reader::causal, 3, 2, 6, 6); });
     },
     Code::corrupt, "Attention: 3 heads over 2"},
    {"attention of an unknown reader",
     [](TinyModel& m) {
       replace<schema::Attention>(m, 11,
                                  [](Builder& b) { return schema::CreateAttention(b, 0, static_cast<schema::Reader>(99), 2, 2, 6, 6); });
     },
     Code::unsupported, "Attention: reader"},
    {"attention to a state that is not there",
     [](TinyModel& m) {
       replace<schema::Attention>(m, 11, [](Builder& b) { return schema::CreateAttention(b, 1, schema::Reader::causal, 2, 2, 6, 6); });
     },
     Code::corrupt, "Attention: state 1, but there are 1"},
    {"an attention scale that is no number",
     [](TinyModel& m) {
       replace<schema::Attention>(m, 11,
                                  [](Builder& b) { return schema::CreateAttention(b, 0, schema::Reader::causal, 2, 2, 6, 6, kNaN); });
     },
     Code::corrupt, "Attention: its scale is not a finite number"},
    {"an attention soft-cap below 0",
     [](TinyModel& m) {
       replace<schema::Attention>(m, 11,
                                  [](Builder& b) { return schema::CreateAttention(b, 0, schema::Reader::causal, 2, 2, 6, 6, 1, -1); });
     },
     Code::corrupt, "Attention: its softcap is below 0"},
    {"a slice behind the end", [](TinyModel& m) { replace<schema::Slice>(m, 6, [](Builder& b) { return schema::CreateSlice(b, 25); }); },
     Code::corrupt, "Slice"},
    {"a slice that wraps",
     [](TinyModel& m) { replace<schema::Slice>(m, 6, [](Builder& b) { return schema::CreateSlice(b, UINT32_MAX); }); }, Code::corrupt,
     "Slice"},
    {"an append to a state that is not there",
     [](TinyModel& m) { replace<schema::Append>(m, 10, [](Builder& b) { return schema::CreateAppend(b, 7); }); }, Code::corrupt,
     "Append: state 7, but there are 1"},
    {"a turn that does not divide",
     [](TinyModel& m) { replace<schema::Quantize>(m, 2, [](Builder& b) { return schema::CreateQuantize(b, 16); }); }, Code::corrupt,
     "Quantize: a turn of 16"},
    {"an unknown granularity",
     [](TinyModel& m) {
       replace<schema::Quantize>(m, 2, [](Builder& b) { return schema::CreateQuantize(b, 0, -1, static_cast<schema::Granularity>(5)); });
     },
     Code::unsupported, "Quantize: granularity"},
    {"an unknown function of two",
     [](TinyModel& m) {
       replace<schema::Binary>(m, 14, [](Builder& b) { return schema::CreateBinary(b, static_cast<schema::BinaryFunction>(3)); });
     },
     Code::unsupported, "Binary: function 3"},
    {"a sum scaled by no number",
     [](TinyModel& m) {
       replace<schema::Binary>(m, 14, [](Builder& b) { return schema::CreateBinary(b, schema::BinaryFunction::add, -kInfinity); });
     },
     Code::corrupt, "Binary: its scale is not a finite number"},
    {"attention before its rows are there", [](TinyModel& m) { std::swap(program(m).operations[10], program(m).operations[11]); },
     Code::corrupt, "before this call's rows are appended"},
    {"floats for int8 weights", [](TinyModel& m) { operation(m, 3).inputs[0] = 3; }, Code::corrupt,
     "operation 3: Linear: input 0 is f32, expected q8"},
    {"chosen rows that count something else", [](TinyModel& m) { value(m, 16).rows.symbol = schema::Symbol::sequences; }, Code::corrupt,
     "program \"decoder\": input \"rows\": "},
};

}  // namespace

TEST_CASE("every wrong requirement is refused by name") { check_refused(tiny_encoder, kRequirementCases); }
TEST_CASE("every wrong program is refused by name") { check_refused(tiny_encoder, kProgramCases); }
TEST_CASE("every wrong operation is refused by name") { check_refused(tiny_encoder, kOperationCases); }
TEST_CASE("every wrong option of a decoder is refused by name") { check_refused(tiny_decoder, kDecoderCases); }
