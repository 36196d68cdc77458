// SPDX-License-Identifier: Apache-2.0
//! What `--schema` prints, held against real inputs and real answers.

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

use crate::{RULES, answer, bad_input, examples, run};

struct Shapes {
    schemas: Schemas,
    input: SchemaIndex,
    output: SchemaIndex,
}

impl Shapes {
    /// What the program prints for a rule.
    fn of(rule: &str) -> Self {
        let done = run(&[rule, "--schema"], b"");
        assert!(done.status.success(), "{rule}: {}", String::from_utf8_lossy(&done.stderr));
        let printed: Value = serde_json::from_slice(&done.stdout).unwrap();
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let mut compile = |side: &str| {
            let name = format!("http://clawrank.test/{rule}/{side}.json");
            assert_eq!(printed[side]["$schema"], "https://json-schema.org/draft/2020-12/schema", "{rule} {side}");
            compiler.add_resource(&name, printed[side].clone()).unwrap();
            compiler.compile(&name, &mut schemas).unwrap_or_else(|e| panic!("{rule} {side} is no schema: {e}"))
        };
        let (input, output) = (compile("input"), compile("output"));
        Self { schemas, input, output }
    }

    fn check(&self, side: SchemaIndex, value: &Value) -> Result<(), String> {
        self.schemas.validate(value, side).map_err(|e| format!("{e:#}"))
    }
}

#[test]
fn schemas_hold_for_every_rule_when_it_is_asked() {
    for rule in RULES {
        let shapes = Shapes::of(rule);
        for (arguments, input) in examples::of(rule) {
            shapes.check(shapes.input, &input).unwrap_or_else(|e| panic!("{rule} input: {e}"));
            let mut output = answer(&arguments, &input);
            shapes.check(shapes.output, &output).unwrap_or_else(|e| panic!("{rule} output: {e}"));
            // A schema that takes anything would have held too.
            let first = output.as_object().unwrap().keys().next().unwrap().clone();
            output[&first] = json!({ "of": "another shape" });
            assert!(shapes.check(shapes.output, &output).is_err(), "{rule}: {first} may be anything");
        }
    }
}

/// A tool that checks its input by the schema finds what the program would refuse for its form.
#[test]
fn schemas_refuse_an_input_when_the_program_refuses_its_form() {
    for rule in RULES {
        let shapes = Shapes::of(rule);
        let mut refused = 0;
        for case in bad_input::table(rule).into_iter().filter(|case| case.form) {
            let input = case.input.clone();
            assert!(shapes.check(shapes.input, &input).is_err(), "{rule}: {} is taken: {input}", case.field);
            refused += 1;
        }
        assert!(refused >= 3, "{rule}: {refused}");
    }
}
