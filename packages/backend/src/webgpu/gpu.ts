/** What is used of WebGPU, by its standard names; the same in a browser and in Dawn. */
export interface Gpu {
  requestAdapter(options?: { readonly powerPreference?: 'high-performance' }): Promise<GpuAdapter | null>;
}

export interface GpuAdapter {
  readonly info?: GpuAdapterInfo;
  readonly limits: Readonly<Record<string, number>>;
  readonly features: ReadonlySet<string>;
  requestDevice(options: {
    readonly requiredFeatures: readonly string[];
    readonly requiredLimits: Readonly<Record<string, number>>;
  }): Promise<GpuDevice>;
}

export interface GpuAdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter?: boolean;
}

export interface GpuDevice {
  /** Resolves when the device is gone: `destroyed` by the program itself, `unknown` by the driver or the hardware. */
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  readonly limits: Readonly<Record<string, number>>;
  readonly queue: {
    submit(commands: readonly unknown[]): void;
    onSubmittedWorkDone(): Promise<void>;
  };
  createCommandEncoder(): { finish(): unknown };
  pushErrorScope(filter: GpuErrorFilter): void;
  popErrorScope(): Promise<GpuError | null>;
  destroy(): void;
}

export type GpuErrorFilter = 'validation' | 'out-of-memory' | 'internal';

/** Not an `Error` of JavaScript: the class says the kind. */
export interface GpuError {
  readonly message: string;
}
