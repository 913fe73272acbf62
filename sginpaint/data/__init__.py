"""Pictures, labels and attributes on their way to the networks.

`load_dataset` opens a data set; `training_batches` and `evaluation_batches`
make numpy `Batch`es of it. Pictures are uint8 RGB [H, W, 3], label maps int32
[H, W] with class indices 0..K-1 or 255 = ignore, attributes float32 [A] in
[0, 1] with NaN = unknown. Nothing in here touches a device, except the masks.
"""
