"""Messages and remedies of findings, by kind."""

FINDINGS: dict[str, tuple[str, str]] = {
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
    "finding.replaced_gradient.by_module": (
        "A backward hook of the module {module} replaced the gradient that it sends back; what stands before it received the hook's.",
        "모듈 {module}의 backward 훅이 앞으로 돌려보내는 기울기를 바꾸었습니다. 그 앞의 연산은 훅이 준 기울기를 받았습니다.",
    ),
    "finding.replaced_gradient.by_module.remedy": (
        "This is what register_full_backward_hook does if its function returns a gradient; remove the hook if that was not meant.",
        "register_full_backward_hook의 함수가 기울기를 반환하면 이렇게 됩니다. 의도하지 않았다면 훅을 제거하세요.",
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
    "finding.vanishing_gradient": (
        "The gradient vanishes from {name} towards the input: at {first} it is {times} times that at {last}, over {count} layers.",
        "{name}부터 입력 쪽으로 기울기가 소실됩니다. {first}의 기울기가 {last}의 {times}배입니다(층 {count}개).",
    ),
    "finding.vanishing_gradient.remedy": (
        "Use relu or gelu in place of sigmoid and tanh, a fitting initialisation, residual connections, or normalisation layers.",
        "sigmoid나 tanh 대신 relu나 gelu, 알맞은 초기화, 잔차 연결, 정규화 층을 써 보세요.",
    ),
    "finding.vanishing_gradient.saturated": (
        "{name} is saturated: its inputs are so far out that only {times} of the gradient comes through {op}.",
        "{name}이(가) 포화되었습니다. 입력이 너무 커서 {op}을(를) 지나는 기울기가 {times}배로 줄어듭니다.",
    ),
    "finding.vanishing_gradient.saturated.remedy": (
        "Make its inputs smaller: normalise the data, initialise with smaller weights, put a normalisation layer before it; or use relu.",
        "입력을 줄이세요. 데이터를 정규화하거나, 더 작은 가중치로 초기화하거나, 앞에 정규화 층을 두거나, relu를 쓰세요.",
    ),
    "finding.vanishing_gradient.underflow": (
        "The gradient becomes zero at {name}: it is smaller than the smallest number of float16 (6e-8).",
        "기울기가 {name}에서 0이 됩니다. float16의 가장 작은 수(6e-8)보다 작기 때문입니다.",
    ),
    "finding.vanishing_gradient.underflow.remedy": (
        "Scale the loss (torch.amp.GradScaler), or use bfloat16, which has the range of float32.",
        "손실의 크기를 키우거나(torch.amp.GradScaler) 범위가 float32와 같은 bfloat16을 쓰세요.",
    ),
    "finding.vanishing_gradient.in_time": (
        "The gradient vanishes over the {count} uses of {name}: at the first of them it is {times} times that at the last.",
        "{name}이(가) {count}번 쓰이는 동안 기울기가 소실됩니다. 첫 번째에서 마지막의 {times}배입니다.",
    ),
    "finding.vanishing_gradient.in_time.remedy": (
        "Use an LSTM or GRU, make the recurrent weight orthogonal at first (nn.init.orthogonal_), or let the loss see earlier steps, too.",
        "LSTM이나 GRU를 쓰거나, 순환 가중치를 직교로 초기화(torch.nn.init.orthogonal_)하거나, 손실이 앞선 단계도 보게 하세요.",
    ),
    "finding.exploding_gradient": (
        "The gradient explodes from {name} towards the input: at {first} it is {times} times that at {last}, over {count} layers.",
        "{name}부터 입력 쪽으로 기울기가 폭발합니다. {first}의 기울기가 {last}의 {times}배입니다(층 {count}개).",
    ),
    "finding.exploding_gradient.remedy": (
        "Initialise with smaller weights, put in normalisation layers, scale residual branches, or clip with clip_grad_norm_.",
        "더 작은 가중치로 초기화하거나, 정규화 층을 넣거나, 잔차 가지의 크기를 줄이거나, clip_grad_norm_으로 자르세요.",
    ),
    "finding.exploding_gradient.in_time": (
        "The gradient explodes over the {count} uses of {name}: at the first of them it is {times} times that at the last.",
        "{name}이(가) {count}번 쓰이는 동안 기울기가 폭발합니다. 첫 번째에서 마지막의 {times}배입니다.",
    ),
    "finding.exploding_gradient.in_time.remedy": (
        "Clip with clip_grad_norm_, keep the recurrent weight near orthogonal, or use an LSTM or GRU.",
        "clip_grad_norm_으로 자르거나, 순환 가중치를 직교에 가깝게 유지하거나, LSTM이나 GRU를 쓰세요.",
    ),
    "finding.dead_units": (
        "In this batch {dead} of {units} units of {name} are zero for all {samples} samples, and no gradient comes through them.",
        "이 배치에서 {name}의 유닛 {units}개 중 {dead}개가 표본 {samples}개 모두에서 0이라 기울기가 지나가지 못합니다.",
    ),
    "finding.dead_units.remedy": (
        "Lower the learning rate, look at a bias far below zero, initialise for relu (kaiming_normal_), or use leaky_relu or gelu.",
        "학습률을 낮추거나, 0보다 한참 작은 편향을 확인하거나, relu에 맞게 초기화(kaiming_normal_)하거나, leaky_relu나 gelu를 쓰세요.",
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
    "finding.nan_forward.given": (
        "NaN came in with {what}, which no op of this pass made; NaN there: {count} of {numel}.",
        "NaN이 {what}에 담겨 들어왔습니다. 이 패스의 연산이 만든 값이 아닙니다. NaN의 수: {numel}개 중 {count}개.",
    ),
    "finding.nan_forward.given.remedy": (
        (
            "Take the NaN out or replace it before anything is computed with it, by a mask on the data or torch.nan_to_num; if it is "
            "left out only afterwards (torch.where, times 0), gradients are NaN all the same."
        ),
        (
            "계산에 쓰기 전에 데이터에 마스크를 쓰거나 torch.nan_to_num으로 NaN을 빼거나 바꾸세요. 계산한 뒤에 torch.where나 0을 곱해 "
            "빼면 기울기는 그대로 NaN이 됩니다."
        ),
    ),
    "finding.nan_forward.learned": (
        "{what} had NaN already when this pass began; NaN there: {count} of {numel}.",
        "{what}에는 이 패스가 시작될 때 이미 NaN이 있었습니다. NaN의 수: {numel}개 중 {count}개.",
    ),
    "finding.nan_forward.learned.remedy": (
        "An update before this pass brought it, or what was loaded: look at the pass before it (--pass), and at the file.",
        "이전 갱신이나 불러온 파일에서 온 값입니다. 이전 패스(--pass)와 불러온 파일을 확인하세요.",
    ),
    "finding.nan_forward.unread": (
        "There is NaN in {what} ({count} of {numel}); it spoils neither the loss nor a gradient.",
        "{what}에 NaN이 있습니다({numel}개 중 {count}개). 손실과 기울기에는 영향을 주지 않습니다.",
    ),
    "finding.nan_forward.unread.remedy": (
        "Nothing to do if it stands for missing data, or is only looked at.",
        "빠진 데이터를 뜻하거나 확인만 하는 값이라면 할 일이 없습니다.",
    ),
    "finding.inf_forward.given": (
        "Infinity came in with {what}, which no op of this pass made; infinite there: {count} of {numel}.",
        "무한대가 {what}에 담겨 들어왔습니다. 이 패스의 연산이 만든 값이 아닙니다. 무한대의 수: {numel}개 중 {count}개.",
    ),
    "finding.inf_forward.given.remedy": (
        "Look at the data: leave such values out, or replace them (torch.nan_to_num, clamp) before anything is computed with them.",
        "데이터를 확인하세요. 계산에 쓰기 전에 그런 값을 빼거나 torch.nan_to_num, clamp로 바꾸세요.",
    ),
    "finding.inf_forward.learned": (
        "{what} was infinite already when this pass began; infinite there: {count} of {numel}.",
        "{what}에는 이 패스가 시작될 때 이미 무한대가 있었습니다. 무한대의 수: {numel}개 중 {count}개.",
    ),
    "finding.inf_forward.learned.remedy": (
        "An update before this pass brought it, or what was loaded: look at the pass before it (--pass), and at the file.",
        "이전 갱신이나 불러온 파일에서 온 값입니다. 이전 패스(--pass)와 불러온 파일을 확인하세요.",
    ),
    "finding.read_by": ("a tensor that {reader} reads", "{reader}에서 읽는 텐서"),
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
    "finding.nan_gradient.overflow": (
        "The backward of {name} made the first NaN gradient: {why} ({largest}).",
        "첫 NaN 기울기가 {name}의 역전파에서 생겼습니다: {why} ({largest}).",
    ),
    "finding.nan_gradient.overflow.remedy": ("{cure}.", "{cure}."),
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
    "finding.inf_gradient.overflow": (
        "The backward of {name} made the first infinite gradient: {why} ({largest}).",
        "첫 무한대 기울기가 {name}의 역전파에서 생겼습니다: {why} ({largest}).",
    ),
    "finding.inf_gradient.overflow.remedy": ("{cure}.", "{cure}."),
}
