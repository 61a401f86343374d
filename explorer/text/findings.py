"""Messages and remedies of findings, by kind."""

FINDINGS: dict[str, tuple[str, str]] = {
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
    "finding.user_error": ("The program stopped with an error: {error}", "프로그램이 오류로 멈추었습니다: {error}"),
    "finding.user_error.remedy": (
        "Mend the line that is named; what ran before it is recorded here.",
        "표시된 줄을 고치세요. 그 전에 실행된 부분은 여기에 기록되어 있습니다.",
    ),
    "finding.replaced_gradient": (
        "{name} received another gradient than its consumers sent: a hook replaced it.",
        "{name}은(는) 소비자가 보낸 것과 다른 기울기를 받았습니다. 훅이 기울기를 바꾸었습니다.",
    ),
    "finding.replaced_gradient.remedy": (
        "This is what register_hook does if its function returns a tensor; remove the hook if that was not meant.",
        "register_hook의 함수가 텐서를 반환하면 이렇게 됩니다. 의도하지 않았다면 훅을 제거하세요.",
    ),
    "finding.replaced_gradient.by_hook": (
        "{name} received another gradient than its consumers sent: its hook {hooks} replaced it.",
        "{name}은(는) 소비자가 보낸 것과 다른 기울기를 받았습니다. 등록된 훅 {hooks}이(가) 기울기를 바꾸었습니다.",
    ),
    "finding.replaced_gradient.by_hook.remedy": (
        "The edges show what was sent, the node what it received; remove the hook if that was not meant.",
        "간선에는 보내진 기울기가, 노드에는 받은 기울기가 표시됩니다. 의도하지 않았다면 훅을 제거하세요.",
    ),
    "finding.replaced_gradient.by_hooks": (
        "{name} received another gradient than its consumers sent: of its hooks ({hooks}) at least one replaced it.",
        "{name}은(는) 소비자가 보낸 것과 다른 기울기를 받았습니다. 등록된 훅({hooks}) 중 하나 이상이 기울기를 바꾸었습니다.",
    ),
    "finding.replaced_gradient.by_hooks.remedy": (
        "The edges show what was sent, the node what it received; remove the hook that does it if that was not meant.",
        "간선에는 보내진 기울기가, 노드에는 받은 기울기가 표시됩니다. 의도하지 않았다면 해당 훅을 제거하세요.",
    ),
    "finding.averaged_gradient": (
        "{name} received this process's own gradient; .grad holds the average over all processes. Parameters of which this is so: {count}.",
        "{name}이(가) 받은 것은 이 프로세스의 기울기이고, .grad에는 모든 프로세스의 평균이 들어 있습니다. 그런 매개변수: {count}개.",
    ),
    "finding.averaged_gradient.remedy": (
        "Nothing to do: DistributedDataParallel averages gradients during backward.",
        "할 일이 없습니다. DistributedDataParallel이 역전파 중에 기울기를 평균 냅니다.",
    ),
    "finding.stale_saved_tensor": (
        "{name} changes a tensor in place that {saver} had saved ({saved}) for its backward, so backward stopped there.",
        "{name}이(가) {saver}의 역전파를 위해 저장된 텐서({saved})를 제자리에서 바꾸었습니다. 그래서 역전파가 그곳에서 멈추었습니다.",
    ),
    "finding.stale_saved_tensor.remedy": (
        "Use the op that makes a new tensor (add for add_), or clone the tensor before changing it.",
        "새 텐서를 만드는 연산(add_ 대신 add)을 쓰거나, 바꾸기 전에 텐서를 clone하세요.",
    ),
    "finding.stale_saved_tensor.elsewhere": (
        "A tensor that {name} had saved ({saved}) for its backward was changed in place afterwards, so backward stopped here.",
        "{name}이(가) 역전파를 위해 저장한 텐서({saved})가 나중에 제자리에서 바뀌었습니다. 그래서 역전파가 여기서 멈추었습니다.",
    ),
    "finding.stale_saved_tensor.elsewhere.remedy": (
        "Change it after backward, as an optimizer step does, or clone it before the op.",
        "최적화 단계처럼 역전파 뒤에 바꾸거나, 연산 전에 clone하세요.",
    ),
    "finding.changed_by_watching": (
        "The graph is another here because it is being watched: {why}.",
        "관찰 중이라 여기의 그래프가 평소와 다릅니다: {why}.",
    ),
    "finding.changed_by_watching.remedy": (
        "Nothing to do; a run that nobody watches is as it always was.",
        "할 일이 없습니다. 관찰하지 않는 실행은 평소 그대로입니다.",
    ),
    "finding.changed_by_watching.reshape": (
        (
            "a tensor that is not contiguous is reshaped by view; unwatched, the node is ReshapeAliasBackward0, not ViewBackward0; "
            "values are equal"
        ),
        "연속이 아닌 텐서의 모양을 view로 바꿉니다. 관찰하지 않으면 노드가 ViewBackward0이 아니라 ReshapeAliasBackward0이며, 값은 같습니다",
    ),
    "finding.changed_by_watching.ctc_loss": (
        "lengths stay tensors; unwatched, its node is CtcLossBackward0, not CtcLossBackward1; values are equal",
        "길이가 텐서로 전달됩니다. 관찰하지 않으면 노드가 CtcLossBackward1이 아니라 CtcLossBackward0이며, 값은 같습니다",
    ),
    "finding.changed_by_watching.index": (
        "the backward of an indexed tensor is IndexPutBackward0; unwatched, the node is IndexPutImplBackward0; values are equal",
        (
            "인덱스로 고른 텐서의 역전파가 IndexPutBackward0으로 기록되었습니다. 관찰하지 않으면 노드가 IndexPutImplBackward0이며, "
            "값은 같습니다"
        ),
    ),
    "finding.changed_by_watching.compiled": (
        (
            "what torch.compile turns into one piece ran op by op; unwatched, it is one CompiledFunctionBackward; "
            "values are equal up to the rounding of compiled code"
        ),
        (
            "torch.compile이 하나로 묶는 부분이 연산 하나씩 실행되었습니다. 관찰하지 않으면 CompiledFunctionBackward 하나이며, "
            "값은 컴파일된 코드의 반올림 차이를 빼면 같습니다"
        ),
    ),
    "finding.and_more": ("{names} and {count} more", "{names} 외 {count}개"),
    "finding.accumulated_gradient": (
        "{names} already had a gradient before this pass; the new one was added to it.",
        "{names}에는 이 패스 전에 이미 기울기가 있었고, 새 기울기가 거기에 더해졌습니다.",
    ),
    "finding.accumulated_gradient.remedy": (
        "Call optimizer.zero_grad() before backward(), unless you accumulate over several batches on purpose.",
        "여러 배치에 걸쳐 일부러 누적하는 것이 아니라면 backward() 전에 optimizer.zero_grad()를 호출하세요.",
    ),
    "finding.accumulated_gradient.spent": (
        "{names} still had the gradient that an earlier update had used, and the sum was used for the next: zero_grad was forgotten.",
        "{names}에 이전 업데이트에서 쓰인 기울기가 남아 있었고, 더해진 합이 다음 업데이트에 쓰였습니다. zero_grad를 빠뜨렸습니다.",
    ),
    "finding.accumulated_gradient.spent.remedy": (
        "Call optimizer.zero_grad() once in each step, before backward() (by hand: w.grad = None after the update).",
        "단계마다 backward() 전에 optimizer.zero_grad()를 한 번 호출하세요(직접 갱신한다면 갱신 뒤에 w.grad = None).",
    ),
    "finding.accumulated_gradient.left_over": (
        "{names} still had the gradient that an earlier update had used; the new one was added, and no update has used the sum so far.",
        "{names}에 이전 업데이트에서 쓰인 기울기가 남아 있어 새 기울기가 더해졌습니다. 그 합은 아직 업데이트에 쓰이지 않았습니다.",
    ),
    "finding.accumulated_gradient.left_over.remedy": (
        "Nothing to do if zero_grad() comes before the next step of their optimizer, as in training one of two networks.",
        "두 네트워크 중 하나를 학습할 때처럼 그 최적화기의 다음 단계 전에 zero_grad()를 호출한다면 할 일이 없습니다.",
    ),
    "finding.accumulated_gradient.on_purpose": (
        "{names} had a gradient that no update has used yet; the new one was added to it, as when batches are accumulated.",
        "{names}에 아직 업데이트에 쓰이지 않은 기울기가 있었고, 새 기울기가 더해졌습니다. 배치를 누적할 때와 같습니다.",
    ),
    "finding.accumulated_gradient.on_purpose.remedy": (
        "Nothing to do if you accumulate on purpose; divide each loss by the number of batches to get their mean.",
        "일부러 누적하는 것이라면 할 일이 없습니다. 평균이 필요하면 각 손실을 배치 수로 나누세요.",
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
        "{starved} got no gradient: what is computed from it only leaves the graph here ({end}), and the loss does not use it.",
        "{starved}에 기울기가 없습니다. 그로부터 계산한 값이 여기({end})서 그래프를 떠나기만 하고 손실에 쓰이지 않습니다.",
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
    "finding.non_scalar_loss": (
        "The program returned no single loss, so backward started with ones at all outputs that need gradients ({count}).",
        "프로그램이 하나의 손실을 반환하지 않아, 출력 {count}개 각각에 1을 넣어 역전파를 시작했습니다.",
    ),
    "finding.non_scalar_loss.remedy": (
        "Return one scalar loss to see its gradients.",
        "손실의 기울기를 보려면 스칼라 손실 하나를 반환하세요.",
    ),
    "finding.own_device": (
        "{asked} was asked for, but the program itself computes on {names}, first at {name} ({count} of {total} nodes); its choice stands.",
        "요청한 장치: {asked}. 프로그램이 고른 {names}에서 계산하며 그 선택을 따릅니다. 첫 위치: {name} (노드 {count}/{total}개).",
    ),
    "finding.own_device.remedy": (
        "Leave the device out where the program makes its tensors, or let its function take device by keyword.",
        "텐서를 만드는 곳에서 device를 빼거나, 함수가 device를 키워드 인자로 받게 하세요.",
    ),
    "finding.own_dtype": (
        "{asked} was asked for, but the program itself computes in {names}, first at {name} ({count} of {total} nodes); its choice stands.",
        "요청한 자료형: {asked}. 프로그램이 고른 {names}(으)로 계산하며 그 선택을 따릅니다. 첫 위치: {name} (노드 {count}/{total}개).",
    ),
    "finding.own_dtype.remedy": (
        "Leave dtype out where the program makes its tensors, or let its function take dtype by keyword.",
        "텐서를 만드는 곳에서 dtype을 빼거나, 함수가 dtype을 키워드 인자로 받게 하세요.",
    ),
    "finding.nan_forward": (
        "{name} made the first NaN of the forward pass: {why}.",
        "순전파의 첫 NaN이 {name}에서 생겼습니다: {why}.",
    ),
    "finding.nan_forward.remedy": ("{cure}.", "{cure}."),
    "finding.nan_forward.left_out": (
        "{name} made the first NaN of the forward pass; torch.where leaves it out, so the loss stays finite.",
        "순전파의 첫 NaN이 {name}에서 생겼습니다. torch.where가 그 값을 쓰지 않아 손실은 유한합니다.",
    ),
    "finding.nan_forward.left_out.remedy": (
        "Its gradient is NaN all the same: make the input safe before the op, with another torch.where.",
        "그래도 기울기는 NaN이 됩니다. 연산 전에 torch.where를 한 번 더 써서 입력을 안전한 값으로 바꾸세요.",
    ),
    "finding.inf_forward": (
        "{name} made the first infinity of the forward pass: {why}.",
        "순전파의 첫 무한대가 {name}에서 생겼습니다: {why}.",
    ),
    "finding.inf_forward.overflow": (
        "{name} made the first infinity of the forward pass: {why} ({largest}).",
        "순전파의 첫 무한대가 {name}에서 생겼습니다: {why} ({largest}).",
    ),
    "finding.inf_forward.overflow.remedy": ("{cure}.", "{cure}."),
    "finding.inf_forward.remedy": ("{cure}.", "{cure}."),
    "finding.nan_gradient": (
        "The backward of {name} made the first NaN gradient: {why}.",
        "첫 NaN 기울기가 {name}의 역전파에서 생겼습니다: {why}.",
    ),
    "finding.nan_gradient.remedy": ("{cure}.", "{cure}."),
    "finding.nan_gradient.left_out": (
        (
            "The backward of {name} made the first NaN gradient although the loss is finite: torch.where does not take its result there "
            "and sends back 0, and 0 times a derivative that is not finite is NaN."
        ),
        (
            "손실은 유한하지만 첫 NaN 기울기가 {name}의 역전파에서 생겼습니다. torch.where가 그 결과를 쓰지 않아 0을 돌려보내지만, "
            "0에 유한하지 않은 도함수를 곱하면 NaN이 됩니다."
        ),
    ),
    "finding.nan_gradient.left_out.remedy": (
        "Make the input safe before the op: torch.where on the input as well, so that the branch not taken is finite too.",
        "연산 전에 입력을 안전한 값으로 바꾸세요. 입력에도 torch.where를 쓰면 선택되지 않은 쪽도 유한해집니다.",
    ),
    "finding.inf_gradient": (
        "The backward of {name} made the first infinite gradient: {why}.",
        "첫 무한대 기울기가 {name}의 역전파에서 생겼습니다: {why}.",
    ),
    "finding.inf_gradient.remedy": ("{cure}.", "{cure}."),
}
