// Reviews to begin with. Their names promise something; a test runs them and holds them to it.

export const EXAMPLES = [
  { name: "example_clear_blame", text: "太差了，再也不会来了！" },
  { name: "example_clear_praise", text: "位置很好，服务热情，早餐丰富，下次还会入住。" },
  { name: "example_both", text: "房间很干净，但是服务太差" },
  { name: "example_turn", text: "本来很期待，看完却觉得不值这个价。" },
];
export const FIRST = EXAMPLES[3].text;
