"""What each derivative rule says, in a sentence: products of matrices, elements moved about, losses, layers, and torch's own nodes."""

LAYERS: dict[str, tuple[str, str]] = {
    # products of matrices
    "formula.mm": (
        "Each matrix gets the gradient multiplied with the other one transposed, on the side where that one stood.",
        "각 행렬은 기울기와 상대 행렬의 전치를, 상대 행렬이 있던 쪽에서 곱한 값을 받습니다.",
    ),
    "formula.bmm": (
        "For each matrix of the batch: the gradient multiplied with the other one transposed, on the side where that one stood.",
        "배치의 각 행렬마다, 기울기와 상대 행렬의 전치를 상대 행렬이 있던 쪽에서 곱합니다.",
    ),
    "formula.mv": (
        "The matrix gets the outer product of gradient and vector, the vector the transposed matrix times the gradient.",
        "행렬은 기울기와 벡터의 외적을, 벡터는 전치한 행렬과 기울기의 곱을 받습니다.",
    ),
    "formula.dot": ("Each vector gets the gradient times the other vector.", "각 벡터는 기울기에 상대 벡터를 곱한 값을 받습니다."),
    "formula.addmm": (
        "The bias gets the gradient summed over the rows, each matrix the gradient multiplied with the other one transposed.",
        "편향은 기울기를 행 방향으로 더한 값을, 각 행렬은 기울기와 상대 행렬의 전치를 곱한 값을 받습니다.",
    ),
    "formula.addmm_scaled": (
        "As for a matrix product with a bias, with the factors beta and alpha.",
        "편향을 더한 행렬 곱과 같으며, 계수 beta와 alpha가 곱해집니다.",
    ),
    "formula.addmv": (
        "The bias gets the gradient, the matrix its outer product with the vector, the vector the transposed matrix times it.",
        "편향은 기울기를, 행렬은 기울기와 벡터의 외적을, 벡터는 전치한 행렬과 기울기의 곱을 받습니다.",
    ),
    # elements moved about
    "formula.same": ("A copy hands its gradient on as it is.", "복사본은 기울기를 그대로 전달합니다."),
    "formula.reshape": (
        "The same elements in another shape: the gradient gets the shape of x back.",
        "원소는 같고 형상만 다르므로, 기울기를 x의 형상으로 되돌립니다.",
    ),
    "formula.t": ("The gradient is transposed back.", "기울기를 다시 전치합니다."),
    "formula.transpose": ("The two dimensions change places again.", "두 차원을 다시 맞바꿉니다."),
    "formula.permute": ("The dimensions go back to their old order.", "차원을 원래 순서로 되돌립니다."),
    "formula.expand": ("Each element gets the sum over all its copies.", "각 원소는 자신의 모든 복사본이 받은 기울기의 합을 받습니다."),
    "formula.repeat": ("Each element gets the sum over all its copies.", "각 원소는 자신의 모든 복사본이 받은 기울기의 합을 받습니다."),
    "formula.select": (
        "The gradient goes to the place that was read; everything else gets 0.",
        "기울기는 읽은 자리로 가고, 나머지는 0을 받습니다.",
    ),
    "formula.slice": (
        "The gradient goes to the slice that was read; everything else gets 0.",
        "기울기는 읽은 구간으로 가고, 나머지는 0을 받습니다.",
    ),
    "formula.split": ("The gradients of the pieces are joined again.", "조각들의 기울기를 다시 이어 붙입니다."),
    "formula.unbind": ("The gradients of the parts are stacked again.", "나뉜 부분들의 기울기를 다시 쌓습니다."),
    "formula.cat": ("Each piece gets its part of the gradient.", "각 조각은 기울기에서 자기 부분을 받습니다."),
    "formula.stack": ("Each tensor gets its layer of the gradient.", "각 텐서는 기울기에서 자기 층을 받습니다."),
    "formula.index": (
        "Each element gets the sum of the gradients of all places that read it.",
        "각 원소는 자신을 읽은 모든 자리의 기울기를 더한 값을 받습니다.",
    ),
    "formula.index_select": (
        "Each slice gets the sum of the gradients of all places that read it.",
        "각 구간은 자신을 읽은 모든 자리의 기울기를 더한 값을 받습니다.",
    ),
    "formula.index_add": (
        "What was added to gets the gradient as it is, what was added gets it from the places it went to.",
        "더해진 대상은 기울기를 그대로 받고, 더한 값은 자기가 간 자리의 기울기를 받습니다.",
    ),
    "formula.index_put": (
        "What was overwritten gets 0, the new values get the gradient of their places.",
        "덮어쓴 자리는 0을 받고, 새 값은 자기 자리의 기울기를 받습니다.",
    ),
    "formula.index_put_add": (
        "What was added to gets the gradient as it is, the added values get it from their places.",
        "더해진 대상은 기울기를 그대로 받고, 더한 값은 자기 자리의 기울기를 받습니다.",
    ),
    "formula.gather": (
        "Each element gets the sum of the gradients of all places that read it.",
        "각 원소는 자신을 읽은 모든 자리의 기울기를 더한 값을 받습니다.",
    ),
    "formula.scatter": (
        "What was overwritten gets 0, the values written get the gradient of their places.",
        "덮어쓴 자리는 0을 받고, 쓴 값은 자기 자리의 기울기를 받습니다.",
    ),
    "formula.scatter_add": (
        "What was added to gets the gradient as it is, the added values get it from their places.",
        "더해진 대상은 기울기를 그대로 받고, 더한 값은 자기 자리의 기울기를 받습니다.",
    ),
    "formula.embedding": (
        "Each row of the table gets the sum of the gradients of all places that looked it up; the others, and the padding row, get 0.",
        "표의 각 행은 자신을 찾아본 모든 자리의 기울기를 더한 값을 받고, 나머지 행과 패딩 행은 0을 받습니다.",
    ),
    "formula.masked_select": (
        "The gradient goes back to the elements that the mask chose; all others get 0.",
        "기울기는 마스크가 고른 원소로 되돌아가고, 나머지는 0을 받습니다.",
    ),
    "formula.masked_scatter": (
        "What was overwritten gets 0, the values written get the gradient of their places, in their order.",
        "덮어쓴 자리는 0을 받고, 쓴 값은 순서대로 자기 자리의 기울기를 받습니다.",
    ),
    "formula.flip": ("The gradient is flipped back.", "기울기를 다시 뒤집습니다."),
    "formula.roll": ("The gradient is rolled back.", "기울기를 반대 방향으로 돌립니다."),
    "formula.tril": ("The gradient passes in the lower triangle, else it is 0.", "아래 삼각형에서만 기울기가 지나가고, 나머지는 0입니다."),
    "formula.triu": ("The gradient passes in the upper triangle, else it is 0.", "위 삼각형에서만 기울기가 지나가고, 나머지는 0입니다."),
    "formula.diagonal": ("The gradient goes to the diagonal; everything else gets 0.", "기울기는 대각선으로 가고, 나머지는 0을 받습니다."),
    "formula.pad": ("The gradient without the border that was added.", "덧붙인 테두리를 뺀 기울기입니다."),
    # losses
    "formula.mse": (
        "Twice the difference from the target, averaged over the elements; the target gets the opposite.",
        "목표값과의 차의 두 배를 원소 수로 나눈 값이며, 목표값은 부호가 반대인 값을 받습니다.",
    ),
    "formula.mse_sum": (
        "Twice the difference from the target; the target gets the opposite.",
        "목표값과의 차의 두 배이며, 목표값은 부호가 반대인 값을 받습니다.",
    ),
    "formula.smooth_l1": (
        "The difference over beta where it is small, only its sign where it is large, averaged over the elements.",
        "차가 작으면 차를 beta로 나눈 값, 크면 부호만이며, 원소 수로 나눕니다.",
    ),
    "formula.smooth_l1_sum": (
        "The difference over beta where it is small, only its sign where it is large.",
        "차가 작으면 차를 beta로 나눈 값, 크면 부호만입니다.",
    ),
    "formula.huber": (
        "The difference where it is small, delta with its sign where it is large, averaged over the elements.",
        "차가 작으면 차 그대로, 크면 부호를 붙인 delta이며, 원소 수로 나눕니다.",
    ),
    "formula.huber_sum": (
        "The difference where it is small, delta with its sign where it is large.",
        "차가 작으면 차 그대로, 크면 부호를 붙인 delta입니다.",
    ),
    "formula.bce": (
        "The difference from the target over x(1 − x), averaged over the elements: the more certain and wrong, the larger.",
        "목표값과의 차를 x(1 − x)로 나누고 원소 수로 나눈 값입니다. 확신하면서 틀릴수록 커집니다.",
    ),
    "formula.bce_sum": (
        "The difference from the target over x(1 − x): the more certain and wrong, the larger.",
        "목표값과의 차를 x(1 − x)로 나눈 값입니다. 확신하면서 틀릴수록 커집니다.",
    ),
    "formula.bce_logits": (
        "The probability minus the target (each side with its weight), averaged over the elements.",
        "확률에서 목표값을 뺀 값(각각의 가중치를 곱함)을 원소 수로 나눕니다.",
    ),
    "formula.bce_logits_sum": (
        "The probability minus the target (each side with its weight).",
        "확률에서 목표값을 뺀 값입니다(각각의 가중치를 곱함).",
    ),
    "formula.nll": (
        "Only the log-probability of the right class gets a gradient: minus its share of the average.",
        "정답 클래스의 로그 확률만 기울기를 받습니다. 평균에서 차지하는 몫에 음의 부호를 붙인 값입니다.",
    ),
    "formula.nll_sum": (
        "Only the log-probability of the right class gets a gradient: minus its weight.",
        "정답 클래스의 로그 확률만 기울기를 받습니다. 가중치에 음의 부호를 붙인 값입니다.",
    ),
    "formula.nll_each": (
        "Only the log-probability of the right class gets a gradient: minus that of its sample times its weight.",
        "정답 클래스의 로그 확률만 기울기를 받습니다. 표본의 기울기에 가중치를 곱하고 음의 부호를 붙인 값입니다.",
    ),
    # layers
    "formula.convolution": (
        "The input gets the gradient spread back through the kernel, the kernel each window of the input times its gradient, summed.",
        "입력은 커널을 거꾸로 지나 퍼진 기울기를, 커널은 입력의 각 창에 기울기를 곱해 더한 값을 받습니다.",
    ),
    "formula.convolution_transposed": (
        "The input gets the convolution of the gradient, the kernel each window of the gradient times its input, summed.",
        "입력은 기울기의 합성곱을, 커널은 기울기의 각 창에 입력을 곱해 더한 값을 받습니다.",
    ),
    "formula.batch_norm": (
        "The gradient without its mean and without its part along the normalised input, which could not have changed the result.",
        "기울기에서 평균과, 정규화된 입력 방향의 성분을 뺀 값입니다. 이 둘은 결과를 바꿀 수 없기 때문입니다.",
    ),
    "formula.batch_norm_eval": (
        "With fixed statistics the layer is linear: the gradient times weight over standard deviation.",
        "통계가 고정되어 있으면 선형입니다. 기울기에 가중치를 곱하고 표준편차로 나눕니다.",
    ),
    "formula.layer_norm": (
        "The gradient without its mean and without its part along the normalised input, which could not have changed the result.",
        "기울기에서 평균과, 정규화된 입력 방향의 성분을 뺀 값입니다. 이 둘은 결과를 바꿀 수 없기 때문입니다.",
    ),
    "formula.rms_norm": (
        "The gradient without its part along the normalised input, divided by the root of the mean square.",
        "기울기에서 정규화된 입력 방향의 성분을 빼고, 제곱평균의 제곱근으로 나눕니다.",
    ),
    "formula.group_norm": (
        "As for layer normalisation, within each group of channels.",
        "층 정규화와 같으며, 채널 그룹마다 따로 계산합니다.",
    ),
    "formula.max_pool": ("Each window's gradient goes to its largest element.", "각 창의 기울기는 그 창에서 가장 큰 원소로 갑니다."),
    "formula.avg_pool": (
        "Each window's gradient is shared out evenly over its elements.",
        "각 창의 기울기가 그 창의 원소들에 똑같이 나누어집니다.",
    ),
    "formula.adaptive_pool": (
        "Each region's gradient is shared out evenly over its elements.",
        "각 영역의 기울기가 그 영역의 원소들에 똑같이 나누어집니다.",
    ),
    "formula.upsample": ("Each element gets the sum over all its copies.", "각 원소는 자신의 모든 복사본이 받은 기울기의 합을 받습니다."),
    "formula.dropout": (
        "The gradient passes where the element was kept, scaled as it was; dropped elements get 0.",
        "남겨진 원소에서는 순전파와 같은 배율로 기울기가 지나가고, 버려진 원소는 0을 받습니다.",
    ),
    "formula.attention": (
        "The values get the gradient weighted by the attention P; queries and keys get it through the softmax and the dot product.",
        "값(V)은 어텐션 P로 가중된 기울기를 받고, 쿼리와 키는 softmax와 내적을 거친 기울기를 받습니다.",
    ),
    "formula.lstm": (
        "Backpropagation through time: from the last step to the first, through the four gates of each step.",
        "시간에 따른 역전파입니다. 마지막 단계에서 첫 단계까지, 각 단계의 네 게이트를 지나갑니다.",
    ),
    # written by hand in C++
    "formula.accumulate": ("The gradient that arrives at a leaf is added to its .grad.", "잎 노드에 도착한 기울기가 .grad에 더해집니다."),
    "formula.copy": (
        "The values that were overwritten get 0, the source gets the gradient in its own type and on its own device.",
        "덮어쓴 값은 0을 받고, 원본은 자신의 자료형과 장치에 맞춘 기울기를 받습니다.",
    ),
    "formula.copy_slices": (
        "A view was changed in place: inside it the gradient goes through the op that changed it, outside it passes as it is.",
        "뷰를 제자리에서 바꾼 것입니다. 뷰 안의 기울기는 바꾼 연산을 거치고, 밖의 기울기는 그대로 지나갑니다.",
    ),
    "formula.graph_root": (
        "Where backward begins: the gradient of the loss by itself, 1.",
        "역전파가 시작되는 곳입니다. 손실을 손실로 미분한 기울기는 1입니다.",
    ),
    "formula.identity": ("The gradient passes as it is.", "기울기가 그대로 지나갑니다."),
    "formula.undefined": ("The gradients pass as they are, also where there are none.", "기울기가 없는 경우를 포함해 그대로 지나갑니다."),
    "formula.undefined_backward": ("No gradient flows back from here.", "여기에서는 기울기가 되돌아가지 않습니다."),
    "formula.error": (
        "Backward stops here with the error that the node was made with.",
        "역전파는 이 노드가 만들어질 때의 오류를 내며 여기서 멈춥니다.",
    ),
    "formula.not_implemented": ("torch has no derivative for this op.", "torch에는 이 연산의 미분이 구현되어 있지 않습니다."),
}
