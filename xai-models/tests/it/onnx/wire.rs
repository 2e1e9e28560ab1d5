//! Writes the few ONNX messages that tests need, from the format's description and not with the loader's own structs.

/// A node of a graph.
#[derive(Clone, Default)]
pub struct Node {
    pub operator: &'static str,
    pub domain: &'static str,
    pub inputs: Vec<&'static str>,
    pub outputs: Vec<&'static str>,
    pub attributes: Vec<(&'static str, Value)>,
}

/// The value of an attribute.
#[derive(Clone, Debug)]
pub enum Value {
    Int(i64),
    Text(&'static str),
    Ints(Vec<i64>),
    Floats(Vec<f32>),
    Texts(Vec<&'static str>),
    FloatTensor(Vec<f32>),
    DoubleTensor(Vec<f64>),
    ByteTensor(Vec<u8>),
}

pub const FLOAT: u64 = 1;
pub const DOUBLE: u64 = 11;

impl Node {
    pub fn new(operator: &'static str, domain: &'static str, input: &'static str, outputs: &[&'static str]) -> Self {
        Node { operator, domain, inputs: vec![input], outputs: outputs.to_vec(), attributes: Vec::new() }
    }

    /// Adds or replaces an attribute.
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        self.attributes.retain(|(known, _)| *known != name);
        self.attributes.push((name, value));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.inputs.iter().for_each(|name| block(&mut out, 1, name.as_bytes()));
        self.outputs.iter().for_each(|name| block(&mut out, 2, name.as_bytes()));
        block(&mut out, 4, self.operator.as_bytes());
        for (name, value) in &self.attributes {
            let mut attribute = Vec::new();
            block(&mut attribute, 1, name.as_bytes());
            match value {
                Value::Int(i) => number(&mut attribute, 3, *i as u64),
                Value::Text(text) => block(&mut attribute, 4, text.as_bytes()),
                Value::Ints(ints) => ints.iter().for_each(|i| number(&mut attribute, 8, *i as u64)),
                Value::Floats(floats) => floats.iter().for_each(|x| {
                    varint(&mut attribute, 7 << 3 | 5);
                    attribute.extend_from_slice(&x.to_le_bytes());
                }),
                Value::Texts(texts) => texts.iter().for_each(|text| block(&mut attribute, 9, text.as_bytes())),
                Value::FloatTensor(all) => {
                    tensor(&mut attribute, 1, all.iter().flat_map(|x| x.to_le_bytes()).collect())
                }
                Value::DoubleTensor(all) => {
                    tensor(&mut attribute, 11, all.iter().flat_map(|x| x.to_le_bytes()).collect());
                }
                Value::ByteTensor(all) => tensor(&mut attribute, 2, all.clone()),
            }
            block(&mut out, 5, &attribute);
        }
        block(&mut out, 7, self.domain.as_bytes());
        out
    }
}

/// A file whose graph has one input `X` of an element type and some columns.
pub fn file(nodes: &[Node], element_type: u64, columns: u64) -> Vec<u8> {
    inputs(nodes, &["X"], element_type, columns)
}

/// As [`file`], with several inputs.
pub fn inputs(nodes: &[Node], names: &[&str], element_type: u64, columns: u64) -> Vec<u8> {
    let mut graph = Vec::new();
    nodes.iter().for_each(|node| block(&mut graph, 1, &node.bytes()));
    for name in names {
        let (mut shape, mut dimension, mut tensor, mut kind, mut input) = (vec![], vec![], vec![], vec![], vec![]);
        number(&mut dimension, 1, columns);
        block(&mut shape, 1, b"");
        block(&mut shape, 1, &dimension);
        number(&mut tensor, 1, element_type);
        block(&mut tensor, 2, &shape);
        block(&mut kind, 1, &tensor);
        block(&mut input, 1, name.as_bytes());
        block(&mut input, 2, &kind);
        block(&mut graph, 11, &input);
    }
    let mut model = Vec::new();
    number(&mut model, 1, 8);
    block(&mut model, 7, &graph);
    model
}

fn tensor(out: &mut Vec<u8>, element_type: u64, raw: Vec<u8>) {
    let mut tensor = Vec::new();
    number(&mut tensor, 2, element_type);
    block(&mut tensor, 9, &raw);
    block(out, 5, &tensor);
}

fn block(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
