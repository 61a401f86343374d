"""Messages and remedies of findings about what no gradient reaches: cuts, parameters left out, results without a graph."""

CUTS: dict[str, tuple[str, str]] = {
    "finding.no_graph": (
        "Nothing here can run backward: {why}.",
        "역전파를 실행할 대상이 없습니다: {why}.",
    ),
    "finding.no_graph.remedy": (
        "Give at least one tensor that takes part requires_grad=True and compute the loss from it outside torch.no_grad().",
        "계산에 참여하는 텐서 하나 이상에 requires_grad=True를 주고, torch.no_grad() 밖에서 그 텐서로 손실을 계산하세요.",
    ),
    "finding.no_graph.no_grad": ("the result was computed under torch.no_grad()", "결과가 torch.no_grad() 안에서 계산되었습니다"),
    "finding.no_graph.inference_mode": (
        "the result was computed under torch.inference_mode()",
        "결과가 torch.inference_mode() 안에서 계산되었습니다",
    ),
    "finding.no_graph.detach": ("the result was detached from the graph", "결과가 그래프에서 분리(detach)되었습니다"),
    "finding.no_graph.integer": ("the result is an integer, which has no gradient", "결과가 정수라서 기울기가 없습니다"),
    "finding.no_graph.item": ("the result is a Python number", "결과가 파이썬 숫자입니다"),
    "finding.no_graph.constant": ("no tensor that it depends on requires a gradient", "의존하는 텐서 중 기울기가 필요한 것이 없습니다"),
    "finding.no_graph.empty": (
        "no op was seen on the program's main thread, and no tensor was returned",
        "프로그램의 주 스레드에서 연산이 보이지 않았고 반환된 텐서도 없습니다",
    ),
    "finding.no_graph.no_backward": (
        "no backward() was seen on the program's main thread",
        "프로그램의 주 스레드에서 backward() 호출이 보이지 않았습니다",
    ),
    "finding.detached": (
        "{name} is cut off here, and no gradient reaches {starved}: backward does not pass through detach() or .data.",
        "{name}이(가) 여기서 끊겨 {starved}에 기울기가 닿지 않습니다. 역전파는 detach()나 .data를 지나가지 못합니다.",
    ),
    "finding.detached.remedy": (
        "Leave out .detach() or .data if the gradient should pass; keep it if the value is meant as a constant.",
        "기울기가 지나가야 한다면 .detach()나 .data를 빼고, 상수로 쓰려는 값이라면 그대로 두세요.",
    ),
    "finding.detached.kept": (
        "{name} is taken as a constant here: no gradient flows back through this detach, but what it comes from gets one by another way.",
        "{name}이(가) 여기서 상수로 쓰입니다. 이 detach를 지나서는 기울기가 흐르지 않지만, 그 앞쪽은 다른 길로 기울기를 받습니다.",
    ),
    "finding.detached.kept.remedy": (
        "Nothing to do if the value is meant as a constant; else leave out .detach() or .data.",
        "상수로 쓰려는 값이라면 할 일이 없습니다. 아니라면 .detach()나 .data를 빼세요.",
    ),
    "finding.detached.round_trip": (
        "{name} leaves the graph here and comes back as a new tensor. No gradient flows this way; what it comes from gets one by another.",
        "{name}이(가) 여기서 그래프를 떠났다가 새 텐서로 돌아옵니다. 이 길로는 기울기가 흐르지 않고, 그 앞쪽은 다른 길로 받습니다.",
    ),
    "finding.detached.round_trip.remedy": (
        "Nothing to do if the value is meant as a constant; else compute it with torch from the tensor itself.",
        "상수로 쓰려는 값이라면 할 일이 없습니다. 아니라면 원래 텐서에서 torch 연산으로 계산하세요.",
    ),
    "finding.detached.copied": (
        "{name} is a new tensor made of the numbers of {origin}; it has no history, and no gradient reaches {starved}.",
        "{name}은(는) {origin}의 숫자로 새로 만든 텐서라서 계산 기록이 없습니다. 그래서 {starved}에 기울기가 닿지 않습니다.",
    ),
    "finding.detached.copied.remedy": (
        "Go on with the tensor itself; join tensors with torch.stack or torch.cat, not with torch.tensor.",
        "원래 텐서를 그대로 쓰세요. 여러 텐서를 묶을 때는 torch.tensor 대신 torch.stack이나 torch.cat을 쓰세요.",
    ),
    "finding.detached.number": (
        "{name} becomes a plain number here and is computed with as such; numbers have no history, and no gradient reaches {starved}.",
        "{name}이(가) 여기서 일반 숫자로 바뀌어 계산에 쓰입니다. 숫자에는 계산 기록이 없어 {starved}에 기울기가 닿지 않습니다.",
    ),
    "finding.detached.number.remedy": (
        "Compute with the tensor itself; item() and float() are for printing and logging.",
        "텐서를 그대로 계산에 쓰세요. item()과 float()는 출력과 기록에만 쓰세요.",
    ),
    "finding.detached.left": (
        (
            "{name} leaves the graph as numbers here, and what is made of them comes back as a new tensor without history: "
            "no gradient reaches {starved}."
        ),
        "{name}이(가) 여기서 숫자로 그래프를 떠나 계산 기록이 없는 새 텐서로 돌아옵니다. 그래서 {starved}에 기울기가 닿지 않습니다.",
    ),
    "finding.detached.left.remedy": (
        "Do this part with torch ops in place of numpy or Python numbers, or write it as a torch.autograd.Function with its own backward.",
        "이 부분을 numpy나 파이썬 숫자 대신 torch 연산으로 계산하거나, backward가 있는 torch.autograd.Function으로 작성하세요.",
    ),
    "finding.integer_cut": (
        "{name} becomes an integer here, and integers carry no gradient: none reaches {starved}.",
        "{name}이(가) 여기서 정수가 됩니다. 정수에는 기울기가 흐르지 않아 {starved}에 닿지 않습니다.",
    ),
    "finding.integer_cut.remedy": (
        "Keep the value in floating point on the way to the loss.",
        "손실에 이르는 경로에서는 값을 부동소수점으로 유지하세요.",
    ),
    "finding.integer_cut.kept": (
        "{name} becomes an integer here, and integers carry no gradient; what it comes from gets one by another way.",
        "{name}이(가) 여기서 정수가 되며 정수에는 기울기가 흐르지 않습니다. 그 앞쪽은 다른 길로 기울기를 받습니다.",
    ),
    "finding.integer_cut.kept.remedy": (
        "Nothing to do if it is an index or a count.",
        "색인이나 개수로 쓰는 값이라면 할 일이 없습니다.",
    ),
    "finding.integer_cut.chosen": (
        "The loss depends on {name} only by which place is chosen here, and an index carries no gradient: none reaches {starved}.",
        "손실은 {name}에서 어느 위치가 선택되는지에만 의존합니다. 색인에는 기울기가 흐르지 않아 {starved}에 닿지 않습니다.",
    ),
    "finding.integer_cut.chosen.remedy": (
        "Use softmax or another smooth choice (F.gumbel_softmax), or the chosen values themselves, as amax and topk give them.",
        "softmax나 F.gumbel_softmax처럼 매끄러운 선택을 쓰거나, amax나 topk가 주는 값 자체를 쓰세요.",
    ),
    "finding.integer_cut.compared": (
        "{name} is compared here, and true or false carries no gradient: none reaches {starved}.",
        "{name}을(를) 여기서 비교합니다. 참과 거짓에는 기울기가 흐르지 않아 {starved}에 닿지 않습니다.",
    ),
    "finding.integer_cut.compared.remedy": (
        "Put a smooth function in place of the comparison, such as sigmoid of the difference; accuracy is no loss, cross entropy is.",
        "비교 대신 차이의 sigmoid 같은 매끄러운 함수를 쓰세요. 정확도는 손실이 될 수 없고, 교차 엔트로피는 될 수 있습니다.",
    ),
    "finding.integer_cut.flat": (
        "{op} is flat: its derivative is 0 wherever it has one, so the gradient that comes back through it to {starved} is 0 everywhere.",
        "{op}은(는) 평평한 함수라 도함수가 어디서나 0입니다. 그래서 이를 지나 {starved}에 닿는 기울기도 모두 0입니다.",
    ),
    "finding.integer_cut.flat.remedy": (
        "Let the gradient pass by a straight-through estimate: x + (x.round() - x).detach().",
        "x + (x.round() - x).detach()와 같은 직통 추정(straight-through)으로 기울기를 통과시키세요.",
    ),
    "finding.unused_parameter": (
        "{name} ({kind_of}) is part of the model, but no op of this pass has read its parameters: {starved}.",
        "{name}({kind_of})은(는) 모델에 있지만, 이 패스의 어떤 연산도 그 매개변수를 읽지 않았습니다: {starved}.",
    ),
    "finding.unused_parameter.remedy": (
        "Call it in forward, or take it out of the model; if it is used only for some inputs, there is nothing to do.",
        "forward에서 호출하거나 모델에서 빼세요. 일부 입력에서만 쓰는 것이라면 할 일이 없습니다.",
    ),
    "finding.unused_parameter.no_path": (
        "{starved} got no gradient: what is computed from it ends here ({end}) and is no part of the loss.",
        "{starved}에 기울기가 없습니다. 그로부터 계산한 값이 여기({end})서 끝나고 손실에 쓰이지 않습니다.",
    ),
    "finding.unused_parameter.no_path.remedy": (
        "Use the result on the way to the loss; if it is meant for another loss or for display alone, there is nothing to do.",
        "그 결과를 손실 계산에 쓰세요. 다른 손실이나 표시에만 쓰는 값이라면 할 일이 없습니다.",
    ),
    "finding.unused_parameter.read_out": (
        "{starved} got no gradient: what is computed from it only leaves the graph here ({end}), and no op leads from it to the loss.",
        "{starved}에 기울기가 없습니다. 그로부터 계산한 값이 여기({end})서 그래프를 떠나기만 하고, 거기서 손실로 이어지는 연산이 없습니다.",
    ),
    "finding.unused_parameter.read_out.remedy": (
        "Use the tensor itself on the way to the loss; if it is only logged, there is nothing to do.",
        "손실에 이르는 경로에서 텐서를 그대로 쓰세요. 기록만 하는 값이라면 할 일이 없습니다.",
    ),
    "finding.no_grad": (
        "Under no_grad or inference_mode no graph is kept; ops that ran so here: {count}.",
        "no_grad나 inference_mode에서는 그래프가 남지 않습니다. 여기서 그렇게 실행된 연산: {count}개.",
    ),
    "finding.no_grad.remedy": (
        "Nothing to do if this part is not to be trained.",
        "이 부분을 학습하지 않을 것이라면 할 일이 없습니다.",
    ),
    "finding.no_grad.starves": (
        "Under no_grad or inference_mode no graph is kept, and no gradient reaches {starved}; ops that ran so here: {count}.",
        "no_grad나 inference_mode에서는 그래프가 남지 않아 {starved}에 기울기가 닿지 않습니다. 여기서 그렇게 실행된 연산: {count}개.",
    ),
    "finding.no_grad.starves.remedy": (
        "Nothing to do if this part is not to be trained; else take it out of the no_grad block.",
        "이 부분을 학습하지 않을 것이라면 할 일이 없습니다. 학습해야 한다면 no_grad 블록 밖으로 옮기세요.",
    ),
    "finding.shared_parameter": (
        "{name} is one parameter under {count} names; its uses share one gradient.",
        "{name}은(는) 이름이 {count}개인 하나의 매개변수이며, 모든 사용처가 기울기 하나를 함께 씁니다.",
    ),
    "finding.shared_parameter.remedy": (
        "Nothing to do if the weights are tied on purpose.",
        "가중치를 일부러 묶었다면 할 일이 없습니다.",
    ),
    "finding.frozen_parameter.several": (
        "{count} parameters do not require a gradient and stay as they are: {names}.",
        "기울기가 필요하지 않아 그대로 유지되는 매개변수 {count}개: {names}.",
    ),
    "finding.frozen_parameter.several.remedy": (
        "Set requires_grad_(True) on those that should be trained.",
        "학습해야 하는 것에는 requires_grad_(True)를 설정하세요.",
    ),
    "finding.frozen_parameter": (
        "{name} does not require a gradient: it stays as it is.",
        "{name}은(는) 기울기가 필요하지 않아 그대로 유지됩니다.",
    ),
    "finding.frozen_parameter.remedy": (
        "Set requires_grad_(True) on it if it should be trained.",
        "학습해야 한다면 requires_grad_(True)를 설정하세요.",
    ),
}
